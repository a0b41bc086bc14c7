"""What comes between the first proof of who somebody is and the console."""

from allauth.mfa.stages import AuthenticateStage
from django.contrib.auth.models import User
from django.http import HttpRequest

from governance.console.signin.factors import provider_asked


class SecondFactorStage(AuthenticateStage):  # type: ignore[misc]
    """The second factor of who has one, unless the identity provider has just asked the same person for one."""

    def _should_handle(self, request: HttpRequest) -> bool:
        user = self.login.user
        if isinstance(user, User) and provider_asked(request, user):
            return False
        return bool(super()._should_handle(request))
