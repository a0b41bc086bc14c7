"""URLs of the whole product."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from governance.console.predicates import predicate_page, predicate_schema, predicates_page
from governance.console.public import trust_page, verify_page

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("", include("governance.api.urls")),
    path("admin/", include("governance.console.signin.urls")),  # before the admin site, whose login page it replaces
    path("admin/", admin.site.urls),
    path("verify", verify_page, name="verify"),
    path("verify/trust", trust_page, name="verify-trust"),
    path("predicates/", predicates_page, name="predicates"),
    path("predicates/<path:name>.json", predicate_schema, name="predicate-schema"),
    path("predicates/<path:name>", predicate_page, name="predicate"),
]

handler400 = "governance.api.handlers.bad_request"
handler403 = "governance.api.handlers.permission_denied"
handler404 = "governance.api.handlers.page_not_found"
handler500 = "governance.api.handlers.server_error"
#: For django-allauth.
handler429 = "governance.console.signin.views.too_many_requests"
