"""How django-allauth's account part behaves here."""

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth import authenticate
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from governance.console.signin.attempts import account_key, hashing_slot, is_used_up, take_attempt
from governance.console.signin.events import sign_in_locked


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

    def send_notification_mail(self, *args: object, **kwargs: object) -> None:
        """Send nothing: what happens to an account is on record, and the installation may have no mail."""
