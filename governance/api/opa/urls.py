"""URLs that OPA servers use."""

from django.urls import path

from governance.api.opa.views import BundleView, LogsView, StatusView

app_name = "opa"
urlpatterns = [
    path("bundles/<slug:name>", BundleView.as_view(), name="bundle"),
    path("logs", LogsView.as_view(), name="logs"),
    path("status", StatusView.as_view(), name="status"),
]
