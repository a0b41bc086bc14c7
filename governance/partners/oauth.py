"""The OAuth 2.0 server's view of partners: who a client is, what it may request, and where tokens are stored.

django-oauth-toolkit and oauthlib implement the protocol (RFC 6749 section 4.4, RFC 7009, RFC 7662) and call this
validator; `OAUTH2_PROVIDER` names it.
"""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from oauth2_provider.oauth2_backends import OAuthLibCore
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.common import Request
from oauthlib.oauth2.rfc6749.errors import CustomOAuth2Error, InvalidScopeError

from governance.audit.types import Actor
from governance.kernel.ids import new_token
from governance.partners import queries, tokens
from governance.partners.coverage import narrow
from governance.partners.errors import AuthorizationDetailsInvalid, ScopeInvalid
from governance.partners.models import AccessToken, ApiClient
from governance.partners.types import Coverage


def generate_token(request: Request, refresh_token: bool = False) -> str:
    """Return a new access token: 256 random bits as URL-safe text."""
    return new_token()


class PartnerValidator(OAuth2Validator):  # type: ignore[misc]
    """Client credentials only, confidential clients only, and tokens that never cover more than their client may."""

    def get_default_scopes(self, client_id: str, request: Request, *args: Any, **kwargs: Any) -> list[str]:
        """Return the scopes of a request that names none: all that the client may have."""
        return sorted(request.client.actions)

    def validate_scopes(
        self, client_id: str, scopes: list[str], client: ApiClient, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """Narrow the request to what the token will cover. Raises the error of RFC 6749 5.2 or RFC 9396 5."""
        if request.resource:
            raise CustomOAuth2Error("invalid_target", "Tokens for other resources are not issued.", request=request)
        details = getattr(request, "authorization_details", None)
        try:
            request.coverage = narrow(allowed=Coverage.of_client(client), scope=scopes, details=details)
        except ScopeInvalid as error:
            raise InvalidScopeError(error.message, request=request) from error
        except AuthorizationDetailsInvalid as error:
            raise CustomOAuth2Error(error.code, error.message, request=request) from error
        request.scopes = sorted(request.coverage.actions)
        return True

    def introspect_token(
        self, token: str, token_type_hint: str | None, request: Request, *args: Any, **kwargs: Any
    ) -> dict[str, Any] | None:
        """Return the claims of RFC 7662 section 2.2, or None for a token that is not live or another partner's."""
        return queries.introspection(raw_token=token, client=request.client)

    def revoke_token(
        self, token: str, token_type_hint: str | None, request: Request, *args: Any, **kwargs: Any
    ) -> None:
        """Revoke a token that was issued to the asking client (RFC 7009 section 2.1); ignore any other."""
        found = queries.find_token(token)
        if found is not None and found.application_id == request.client.pk:
            tokens.revoke_token(
                token=found, actor=Actor("client", request.client.client_id), reason="revoked_by_client"
            )

    def _create_access_token(
        self, expires: datetime, request: Request, token: dict[str, Any], source_refresh_token: Any = None
    ) -> AccessToken:
        coverage: Coverage = request.coverage
        token["authorization_details"] = coverage.to_details()  # RFC 9396 section 7
        return tokens.issue_token(
            client=request.client,
            coverage=coverage,
            raw_token=token["access_token"],
            seconds=token["expires_in"],
        )

    def _load_application(self, client_id: str | None, request: Request) -> ApiClient | None:
        """Return the client. Text that the database cannot store is not looked up."""
        if not client_id or "\x00" in client_id:
            return None
        loaded: ApiClient | None = super()._load_application(client_id, request)
        return loaded

    def _extract_basic_auth(self, request: Request) -> str | None:
        """Return the credentials of the Authorization header; base64 is ASCII, anything else is not a credential."""
        credentials: str | None = super()._extract_basic_auth(request)
        return credentials if credentials is not None and credentials.isascii() else None


class PartnerOAuthCore(OAuthLibCore):  # type: ignore[misc]
    """The library's bridge from Django to oauthlib, with introspection added."""

    def extract_body(self, request: HttpRequest) -> list[tuple[str, str]]:
        """Return the form without `token_type_hint`: there is only one type of token, so the hint can only mislead."""
        return [(name, value) for name, value in super().extract_body(request) if name != "token_type_hint"]

    def create_introspection_response(self, request: HttpRequest) -> tuple[dict[str, str], str, int]:
        """Return headers, body and status of an answer to an introspection request (RFC 7662 section 2)."""
        uri, http_method, body, headers = self._extract_params(request)
        answer: tuple[dict[str, str], str, int] = self.server.create_introspect_response(
            uri, http_method, body, headers
        )
        return answer
