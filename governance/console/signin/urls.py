"""Addresses of signing in. They come before those of the admin site, whose own login page they take the place of."""

from django.urls import path
from django.views.generic import RedirectView

from governance.console.signin.views import SignInView

urlpatterns = [
    path("login/", SignInView.as_view(), name="account_login"),
    path("logout/done/", RedirectView.as_view(pattern_name="account_login"), name="account_logout"),
]
