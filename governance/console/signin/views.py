"""The sign-in page."""

from typing import Any

from allauth.account.views import LoginView
from django.conf import settings
from django.contrib import admin
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from governance.console.signin.attempts import BUSY, SignInRefused


class SignInView(LoginView):  # type: ignore[misc]
    """Name and password. A refused attempt answers 429 or, where the server is busy, 503, and says when to retry."""

    def get_context_data(self, **given: Any) -> dict[str, Any]:
        """Return what the page shows: the frame of the console and the form."""
        context = super().get_context_data(**given)
        ways = {
            "sso_name": settings.ASSENT_OIDC_NAME if settings.ASSENT_OIDC_ISSUER else "",
            "passwords": settings.ASSENT_LOCAL_LOGIN == "on",
        }
        return {**context, **ways, "title": "Log in"}

    def form_invalid(self, form: Any) -> HttpResponse:
        """Answer a wrong or refused attempt."""
        response: HttpResponse = super().form_invalid(form)
        return say_when(response, form)


def say_when(response: HttpResponse, form: Form) -> HttpResponse:
    """Give an answer the status of what a form refused, and when to try again."""
    errors = [error for found in form.errors.as_data().values() for error in found]
    for error in (each for each in errors if isinstance(each, SignInRefused)):
        response.status_code = 503 if error.code == BUSY else 429
        response["Retry-After"] = str(error.seconds)
    return response


def too_many_requests(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer an address that sends more than people do."""
    context = {**admin.site.each_context(request), "title": "Too many requests"}
    return TemplateResponse(
        request, "account/too_many.html", context, status=429, headers={"Retry-After": "60"}
    ).render()
