"""URLs of the API, its documentation, and the health checks."""

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from governance.api.health import HealthView, ReadinessView
from governance.api.reference import ProblemKindView, unknown_url

#: A page for reading: its only renderer knows no answer to OPTIONS.
DOCUMENTATION = SpectacularSwaggerSplitView.as_view(url_name="api-schema", http_method_names=["get", "head"])

urlpatterns = [
    path("healthz", HealthView.as_view(), name="healthz"),
    path("readyz", ReadinessView.as_view(), name="readyz"),
    path("api/schema", SpectacularJSONAPIView.as_view(), name="api-schema"),
    path("api/docs", DOCUMENTATION, name="api-docs"),
    path("api/problems/<slug:code>", ProblemKindView.as_view(), name="api-problem"),
    path("api/v1/", include("governance.api.v1.urls")),
    path("log/", include("governance.api.log.urls")),
    path("opa/", include("governance.api.opa.urls")),
    path("", include("governance.api.authzen.urls")),
    re_path(r"^api(/.*)?\Z", unknown_url),
]
