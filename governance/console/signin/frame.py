"""What the pages of signing in show around their forms: name, colours and styles of the console."""

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from governance.console.types import Context


def frame(request: HttpRequest) -> Context:
    """Return the frame of the console for pages of signing in, whose views are django-allauth's; nothing for others."""
    if not request.path.startswith((reverse("mfa_index"), reverse("account_login"))):
        return {}
    return {**admin.site.each_context(request), "is_nav_sidebar_enabled": False}
