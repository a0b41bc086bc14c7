"""Who may sign in to the console, and by which password."""

from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.http import HttpRequest


class ConsoleBackend(AuthenticationBackend):  # type: ignore[misc]
    """Active staff only. Any other account answers like one that does not exist, and its open sessions end."""

    def authenticate(self, request: HttpRequest | None, **credentials: str) -> AbstractBaseUser | None:
        """Return the user of a name and a password, None for wrong ones and where passwords are switched off."""
        if settings.ASSENT_LOCAL_LOGIN == "off":
            return None
        found: AbstractBaseUser | None = super().authenticate(request, **credentials)
        return found

    def user_can_authenticate(self, user: AbstractBaseUser | None) -> bool:
        """Return whether the account may use the console."""
        return isinstance(user, User) and user.is_active and user.is_staff

    def _check_password(self, user: AbstractBaseUser | None, password: str) -> AbstractBaseUser | None:
        """Return the user of the right password who may sign in. One that may not is not told from a wrong one."""
        if user is None:
            return None
        self._did_check_password = True
        return user if user.check_password(password) and self.user_can_authenticate(user) else None
