"""URLs of the Authorization API; the metadata says the same (section 9)."""

from django.urls import path

from governance.api.authzen.views import (
    ActionSearchView,
    EvaluationsView,
    EvaluationView,
    MetadataView,
    ResourceSearchView,
    SubjectSearchView,
)

urlpatterns = [
    path(".well-known/authzen-configuration", MetadataView.as_view()),
    path("access/v1/evaluation", EvaluationView.as_view()),
    path("access/v1/evaluations", EvaluationsView.as_view()),
    path("access/v1/search/subject", SubjectSearchView.as_view()),
    path("access/v1/search/resource", ResourceSearchView.as_view()),
    path("access/v1/search/action", ActionSearchView.as_view()),
]
