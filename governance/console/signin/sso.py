"""Single sign-on by OpenID Connect: the authorization code flow with PKCE, state and nonce.

django-allauth does the flow (state, PKCE, the token request); what the provider says is checked in `claims`, and what
follows from it for accounts in `sso_accounts`.
"""

import hashlib
import secrets
from collections.abc import Mapping

from allauth.account.adapter import get_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from governance.console.signin.claims import verified_claims


class SsoFlow(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """The requests of the flow, and the reading of the ID token."""

    def get_provider(self) -> "SsoProvider":
        """Return the configured provider."""
        return configured_provider(self.request)

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """Return where the provider sends the browser back to."""
        return request.build_absolute_uri(reverse("sso_complete"))

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: object) -> SocialLogin:
        """Return who signed in, by a verified ID token. Raises OAuth2Error."""
        response = kwargs["response"]
        id_token = response.get("id_token") if isinstance(response, Mapping) else None
        if not isinstance(id_token, str):
            raise OAuth2Error("The provider sent no ID token.")
        configuration = self.openid_config
        # OpenID Connect Discovery 1.0, section 4.3
        if str(configuration.get("issuer", "")).rstrip("/") != settings.ASSENT_OIDC_ISSUER.rstrip("/"):
            raise OAuth2Error("The provider's configuration is that of another issuer.")
        sent = request.GET.get("iss")  # RFC 9207
        if sent is not None and sent != configuration["issuer"]:
            raise OAuth2Error("The answer came from another issuer.")
        claims = verified_claims(id_token, configuration=configuration)
        login: SocialLogin = self.get_provider().sociallogin_from_response(request, {"sub": claims.subject})
        login.account.extra_data = {}  # what the provider says of a person is not kept
        login.email_addresses = []
        login.claims = claims
        return login


class SsoProvider(OpenIDConnectProvider):  # type: ignore[misc]
    """The one provider of the settings."""

    oauth2_adapter_class = SsoFlow


def configured_provider(request: HttpRequest) -> SsoProvider:
    """Return the provider of the settings. Raises Http404 where there is none."""
    issuer = settings.ASSENT_OIDC_ISSUER
    if not issuer:
        raise Http404("There is no single sign-on here.")
    app = SocialApp(
        provider="openid_connect",
        # Accounts belong to an issuer: at another one, the same subject is somebody else.
        provider_id=f"oidc-{hashlib.sha256(issuer.rstrip('/').encode()).hexdigest()[:16]}",
        name=settings.ASSENT_OIDC_NAME,
        client_id=settings.ASSENT_OIDC_CLIENT_ID,
        secret=settings.ASSENT_OIDC_CLIENT_SECRET,
        settings={"server_url": issuer.rstrip("/"), "oauth_pkce_enabled": True, "scope": settings.ASSENT_OIDC_SCOPES},
    )
    return SsoProvider(request, app=app)


@require_GET
@never_cache
def begin(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider; nothing of that request is taken from this one but the page to return to."""
    nonce = secrets.token_urlsafe(32)
    wanted = request.GET.get("next", "")
    following = wanted if get_adapter().is_safe_url(wanted) else None
    answer: HttpResponse = configured_provider(request).redirect(
        request, process="login", next_url=following, auth_params={"nonce": nonce}, nonce=nonce
    )
    return answer


@require_GET
@never_cache
def complete(request: HttpRequest) -> HttpResponse:
    """Take up what the provider answered."""
    flow = SsoFlow(request, configured_provider(request).app.provider_id)
    answer: HttpResponse = OAuth2CallbackView.adapter_view(flow)(request)
    return answer
