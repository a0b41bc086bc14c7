"""URLs of the transparency log (C2SP tlog-tiles), for everybody."""

from django.urls import path, re_path
from django.views.decorators.gzip import gzip_page

from governance.api.log.proofs import ConsistencyProofView, InclusionProofView
from governance.api.log.views import CheckpointView, EntriesView, TileView
from governance.api.reference import unknown_url

app_name = "log"
urlpatterns = [
    path("checkpoint", CheckpointView.as_view(), name="checkpoint"),
    path("tile/entries/<path:place>", gzip_page(EntriesView.as_view()), name="entries"),
    path("tile/<path:place>", TileView.as_view(), name="tile"),
    path("proof/inclusion", InclusionProofView.as_view(), name="inclusion"),
    path("proof/consistency", ConsistencyProofView.as_view(), name="consistency"),
    re_path(r"^.*\Z", unknown_url),
]
