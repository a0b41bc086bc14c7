"""One's own account: second factors, recovery codes, password and sessions. Each change is on record with itself."""

from typing import Any

from allauth.mfa.base.views import AuthenticateView, IndexView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, RemoveWebAuthnView
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST
from django.views.generic.edit import FormView

from governance.audit.types import Actor
from governance.console.accounts import set_password
from governance.console.pages import add_domain_error
from governance.console.signin.adapter import AccountAdapter
from governance.console.signin.attempts import factor_key, is_used_up
from governance.console.signin.events import sign_in_locked
from governance.console.signin.factors import (
    factor_added,
    factor_removed,
    needs_factor,
    recovery_code_used,
    recovery_codes_made,
)
from governance.console.signin.forms import OwnPasswordForm
from governance.console.signin.sessions import sign_out_everywhere
from governance.console.signin.views import say_when
from governance.kernel.errors import GovernanceError


class AccountView(IndexView):  # type: ignore[misc]
    """What protects one's own account."""

    def get_context_data(self, **given: Any) -> dict[str, Any]:
        """Return what the page shows."""
        user = _user(self.request)
        return {**super().get_context_data(**given), "needed": needs_factor(user), "title": "Your account"}


class CodeView(AuthenticateView):  # type: ignore[misc]
    """The second factor, asked for after the password."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Go on; a recovery code leaves an entry."""
        with transaction.atomic():
            found = getattr(form, "authenticator", None)
            if found is not None and found.type == Authenticator.Type.RECOVERY_CODES:
                recovery_code_used(self.stage.login.user)
            response: HttpResponse = super().form_valid(form)
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        """Answer a wrong code; the last one that may be tried leaves an entry."""
        user = self.stage.login.user
        errors = [error.code for found in form.errors.as_data().values() for error in found]
        if "incorrect_code" in errors and is_used_up(self.request, factor_key(user.pk)):
            sign_in_locked(user.username)
        return say_when(super().form_invalid(form), form)


class AddAppView(ActivateTOTPView):  # type: ignore[misc]
    """An app that shows codes (TOTP, RFC 6238)."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Set the factor up, on record."""
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            factor_added(self.request, _user(self.request), Authenticator.Type.TOTP.value)
        return response


class RemoveAppView(DeactivateTOTPView):  # type: ignore[misc]
    """Takes the app away."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Remove the factor, on record."""
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            factor_removed(_user(self.request), Authenticator.Type.TOTP.value)
        return response


class AddKeyView(AddWebAuthnView):  # type: ignore[misc]
    """A security key, or a device that has one built in (WebAuthn)."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Set the factor up, on record."""
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            factor_added(self.request, _user(self.request), Authenticator.Type.WEBAUTHN.value)
        return response


class RemoveKeyView(RemoveWebAuthnView):  # type: ignore[misc]
    """Takes a key away."""

    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: Form) -> HttpResponse:
        """Remove the factor, on record."""
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            factor_removed(_user(self.request), Authenticator.Type.WEBAUTHN.value)
        return response


class NewCodesView(GenerateRecoveryCodesView):  # type: ignore[misc]
    """New recovery codes; the old ones end."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Make the codes, on record."""
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            recovery_codes_made(_user(self.request))
        return response


@method_decorator(login_required, name="dispatch")
class OwnPasswordView(FormView):  # type: ignore[type-arg]
    """A new password for one's own account, which ends its other sessions."""

    form_class = OwnPasswordForm
    template_name = "account/password.html"
    extra_context = {"title": "New password"}

    def get_form_kwargs(self) -> dict[str, Any]:
        """Return what the form is made with."""
        return {**super().get_form_kwargs(), "user": _user(self.request)}

    def form_valid(self, form: OwnPasswordForm) -> HttpResponse:
        """Set the password, on record. The current one is checked like an attempt to sign in."""
        user = _user(self.request)
        try:
            if not AccountAdapter(self.request).reauthenticate(user, form.cleaned_data["current"]):
                raise ValidationError("This is not your current password.")
            set_password(user=user, password=form.cleaned_data["password"], actor=Actor("user", str(user.pk)))
        except ValidationError as error:
            form.add_error("current", error)
            return self.form_invalid(form)
        except GovernanceError as error:
            add_domain_error(form, error)
            return self.form_invalid(form)
        user.refresh_from_db()
        update_session_auth_hash(self.request, user)
        messages.success(self.request, "You have a new password. Your other sessions have ended.")
        return HttpResponseRedirect(reverse("mfa_index"))


@require_POST
@login_required
def sign_out_everywhere_view(request: HttpRequest) -> HttpResponse:
    """End all sessions of one's own account, this one too."""
    user = _user(request)
    sign_out_everywhere(user=user, actor=Actor("user", str(user.pk)))
    return HttpResponseRedirect(reverse("account_login"))


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
