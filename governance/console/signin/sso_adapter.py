"""What follows from single sign-on for accounts: one of its own for each person, with the roles of their groups.

An account belongs to the issuer and the subject that it was made for. No name and no address ever leads to an account
that was there before. Roles are set at every sign-in, as the deployment's settings say; those that nobody's group gives
are left to the console.
"""

import hashlib
import hmac
import logging

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthError
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from governance.audit.recording.record import record
from governance.audit.types import Actor
from governance.console.accounts import Access, Person, create_user, give_roles
from governance.console.entries import USER, UserProviderLinked
from governance.console.signin.claims import Claims
from governance.console.signin.factors import PROVIDER_ASKED
from governance.console.signin.sso import SsoProvider, configured_provider

logger = logging.getLogger(__name__)
SSO = Actor("system", "single-sign-on")
FAILED = "Single sign-on did not work. Try again; if it goes on, ask whoever runs this installation."
NO_ROLE = "None of your groups gives you a role here. Ask whoever runs this installation."
INACTIVE = "Your account here is deactivated. Ask an administrator."


class SsoAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Finds or makes the account of whoever signed in at the provider, and gives it its roles."""

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> SsoProvider:
        """Return the one provider of the settings."""
        return configured_provider(request)

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Check that the answer is to this browser's request, and prepare the account. Raises ImmediateHttpResponse."""
        claims: Claims = sociallogin.claims
        if not hmac.compare_digest(claims.nonce.encode(), str(sociallogin.state.get("nonce", "")).encode()):
            raise _back(request, FAILED)
        roles = [*Group.objects.filter(name__in=_roles_of(claims))]
        with transaction.atomic():
            user = self._account(request, sociallogin, claims, roles)
        sociallogin.user = user
        if not (user.is_active and user.is_staff):
            raise _back(request, INACTIVE)
        if not roles:
            raise _back(request, NO_ROLE)
        request.session.pop(PROVIDER_ASKED, None)
        if claims.second_factor:
            request.session[PROVIDER_ASKED] = str(user.pk)

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: SsoProvider,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, object] | None = None,
    ) -> None:
        """Lead back to the sign-in page; why it failed is for the log. Raises ImmediateHttpResponse."""
        logger.warning("Single sign-on failed: %s", exception or error)
        raise _back(request, "You cancelled the sign-in." if error == AuthError.CANCELLED else FAILED)

    def _account(self, request: HttpRequest, sociallogin: SocialLogin, claims: Claims, roles: list[Group]) -> User:
        provider, uid = sociallogin.account.provider, sociallogin.account.uid
        found = SocialAccount.objects.filter(provider=provider, uid=uid).first()
        if found is not None:
            managed = Group.objects.filter(
                name__in=[name for names in settings.ASSENT_OIDC_ROLES.values() for name in names]
            )
            return give_roles(user=found.user, roles=roles, among=[*managed], actor=SSO)
        if not roles:
            raise _back(request, NO_ROLE)
        user = create_user(person=_person(claims, sociallogin), access=Access(groups=roles), password=None, actor=SSO)
        sociallogin.connect(request, user)
        record(UserProviderLinked(), subject=USER.ref(user), actor=SSO)
        return user


def _roles_of(claims: Claims) -> set[str]:
    return {role for group in claims.groups for role in settings.ASSENT_OIDC_ROLES.get(group, ())}


def _person(claims: Claims, sociallogin: SocialLogin) -> Person:
    """Return whose account it is, under a user name that nobody has."""
    issued = hashlib.sha256(f"{sociallogin.account.provider} {claims.subject}".encode()).hexdigest()[:12]
    wanted = claims.username[:100]
    free = _is_name(wanted) and not User.objects.filter(username__iexact=wanted).exists()
    return Person(
        username=wanted if free else f"sso-{issued}",
        first_name=claims.first_name[:150],
        last_name=claims.last_name[:150],
        email=_address(claims.email),
    )


def _is_name(text: str) -> bool:
    try:
        User.username_validator(text)
    except ValidationError:
        return False
    return True


def _address(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError:
        return ""
    return text[:254]


def _back(request: HttpRequest, why: str) -> ImmediateHttpResponse:
    messages.error(request, why)
    return ImmediateHttpResponse(HttpResponseRedirect(reverse("account_login")))
