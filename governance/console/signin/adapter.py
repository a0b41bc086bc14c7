"""How django-allauth behaves here."""

import base64
import time

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from governance.console.signin.attempts import TOO_MANY, account_key, hashing_slot, is_used_up, take_attempt, too_many
from governance.console.signin.events import sign_in_locked
from governance.console.signin.factors import has_factor


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up; attempts are counted, and passwords hashed one at a time; no mail is sent."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": (
            "Please enter the correct username and password of an account that may use the console. "
            "The password is case-sensitive."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: accounts are added by people who may, or by a command."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: str) -> AbstractBaseUser | None:
        """Return the user of a name and password, or None. Raises SignInRefused before anything is hashed."""
        if settings.ASSENT_LOCAL_LOGIN == "off":
            raise ValidationError(f"Passwords are switched off here. Log in with {settings.ASSENT_OIDC_NAME}.")
        username = credentials.get("username", "")
        attempt = take_attempt(request, username)
        try:
            with hashing_slot():
                user = authenticate(request, **credentials)
        except BaseException:
            attempt.rollback()  # it was not made
            raise
        if user is not None:
            attempt.rollback()
        elif is_used_up(request, account_key(username)):
            sign_in_locked(username)
        return user

    def get_login_stages(self) -> list[str]:
        """Return what comes between a password, or single sign-on, and the console: a second factor."""
        return ["governance.console.signin.stages.SecondFactorStage"]

    def send_notification_mail(self, *args: object, **kwargs: object) -> None:
        """Send nothing: what happens to an account is on record, and the installation may have no mail."""

    def validation_error(self, code: str, *args: object) -> ValidationError:
        """Return an error by its code; past the limits on codes it says when to try again."""
        if code in (TOO_MANY, "rate_limited"):
            return too_many(60 * settings.ASSENT_SIGNIN_WINDOW_MINUTES)
        found: ValidationError = super().validation_error(code, *args)
        return found

    def get_reauthentication_methods(self, user: AbstractBaseUser | AnonymousUser) -> list[dict[str, str]]:
        """Return how a user proves again who they are: with a second factor where there is one, else by password."""
        methods: list[dict[str, str]] = super().get_reauthentication_methods(user)
        if isinstance(user, User) and has_factor(user):
            return [method for method in methods if method["id"].startswith("mfa_")]
        return methods

    def is_reauthentication_required(self, *, app: str, **given: object) -> bool:
        """Return whether somebody has to prove again who they are; not for a first factor just after signing in."""
        request: HttpRequest = context.request
        user = request.user
        if isinstance(user, User) and not has_factor(user):
            records = get_authentication_records(request, user)
            oldest = time.time() - app_settings.REAUTHENTICATION_TIMEOUT
            if any(record["at"] >= oldest for record in records if record["method"] in ("password", "socialaccount")):
                return False
        return True


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps the secrets of second factors encrypted, under a key that is derived from SECRET_KEY.

    A new SECRET_KEY reads the old secrets while the old one is among SECRET_KEY_FALLBACKS.
    """

    def encrypt(self, text: str) -> str:
        """Return a secret as it is stored."""
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return a stored secret."""
        return _cipher().decrypt(encrypted_text.encode()).decode()

    def get_totp_label(self, user: User) -> str:
        """Return what the app calls the account: the user name, never an address."""
        return user.username

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        """Return a name to begin with for a new key."""
        return f"Key {Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1}"

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, object]:
        """Return what the browser calls the account."""
        return {**super().get_public_key_credential_user_entity(user), "name": user.username}


def _cipher() -> MultiFernet:
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_derived(str(secret))) for secret in secrets])


def _derived(secret: str) -> bytes:
    """Return a key of 32 bytes for Fernet from a secret of the settings (HKDF, RFC 5869)."""
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"assent second factors")
    return base64.urlsafe_b64encode(derivation.derive(secret.encode()))
