"""Nobody who can widen what is allowed uses the console without a second factor."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from governance.console.signin.factors import has_factor, has_proven, needs_factor

SET_UP = "Your account can widen what is allowed, so it needs a second factor. Set one up to go on."


class SecondFactorMiddleware:
    """Leads whoever needs a second factor to set one up, or to show it, before any other page of the console."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._console = reverse("admin:index")
        self._open = (reverse("mfa_index"), reverse("account_login"), reverse("admin:logout"), reverse("admin:jsi18n"))

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and self._is_guarded(request.path):
            user = request.user
            if isinstance(user, User) and needs_factor(user) and not has_proven(request, user):
                return _led_away(request, user)
        return self.get_response(request)

    def _is_guarded(self, path: str) -> bool:
        return path.startswith(self._console) and not path.startswith(self._open)


def _led_away(request: HttpRequest, user: User) -> HttpResponseBase:
    if has_factor(user):
        query = urlencode({"next": request.get_full_path()} if request.method == "GET" else {})
        return HttpResponseRedirect(f"{reverse('mfa_reauthenticate')}?{query}")
    messages.warning(request, SET_UP)
    return HttpResponseRedirect(reverse("mfa_index"))
