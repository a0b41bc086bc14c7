"""URLs of version 1 of the API."""

from django.urls import path

from governance.api.v1.assets.views import AssetListView, AssetReceiptView, AssetView
from governance.api.v1.clients.views import ClientTokensView, EarlierSecretView, OwnClientView, SecretView
from governance.api.v1.decisions.views import DecisionListView, DecisionReceiptView, DecisionView
from governance.api.v1.jobs.results import JobEvidenceView, JobOutputView, JobReceiptView
from governance.api.v1.jobs.views import JobCancelView, JobListView, JobView
from governance.api.v1.ledger.views import AsOfView
from governance.api.v1.models.views import ModelListView, ModelView
from governance.api.v1.tokens.views import IntrospectionView, OwnTokenView, RevocationView, TokenView

app_name = "v1"
urlpatterns = [
    path("oauth/token", TokenView.as_view()),
    path("oauth/introspect", IntrospectionView.as_view()),
    path("oauth/revoke", RevocationView.as_view()),
    path("token", OwnTokenView.as_view()),
    path("client", OwnClientView.as_view()),
    path("client/secret", SecretView.as_view()),
    path("client/secret/end-earlier", EarlierSecretView.as_view()),
    path("client/tokens/revoke", ClientTokensView.as_view()),
    path("models", ModelListView.as_view()),
    path("models/<slug:slug>", ModelView.as_view()),
    path("assets", AssetListView.as_view()),
    path("assets/<uuid:id>", AssetView.as_view(), name="asset"),
    path("assets/<uuid:id>/receipt", AssetReceiptView.as_view()),
    path("jobs", JobListView.as_view()),
    path("jobs/<uuid:id>", JobView.as_view(), name="job"),
    path("jobs/<uuid:id>/cancel", JobCancelView.as_view()),
    path("jobs/<uuid:id>/output", JobOutputView.as_view()),
    path("jobs/<uuid:id>/evidence", JobEvidenceView.as_view()),
    path("jobs/<uuid:id>/receipt", JobReceiptView.as_view()),
    path("ledger/asof", AsOfView.as_view()),
    path("decisions", DecisionListView.as_view()),
    path("decisions/<uuid:id>", DecisionView.as_view()),
    path("decisions/<uuid:id>/receipt", DecisionReceiptView.as_view()),
]
