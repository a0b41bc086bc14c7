"""The OAuth 2.0 server's view of partners: who a client is, what it may request, and where tokens are stored.

django-oauth-toolkit and oauthlib implement the protocol (RFC 6749 section 4.4, RFC 7009, RFC 7662) and call this
validator; `OAUTH2_PROVIDER` names it.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from oauth2_provider.oauth2_backends import OAuthLibCore
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.common import Request
from oauthlib.oauth2.rfc6749.errors import (
    CustomOAuth2Error,
    InvalidClientError,
    InvalidRequestError,
    InvalidScopeError,
)

from governance.audit.types import Actor
from governance.kernel.ids import new_token
from governance.partners import queries, tokens
from governance.partners.assertions import ASSERTION_TYPE, client_of_assertion
from governance.partners.client_secrets import has_earlier_secret
from governance.partners.client_use import note_use
from governance.partners.coverage import narrow
from governance.partners.errors import AssertionInvalid, AuthorizationDetailsInvalid, ClientIsDisabled, ScopeInvalid
from governance.partners.models import AccessToken, ApiClient
from governance.partners.types import Coverage

TOKEN_PATH = "/api/v1/oauth/token"  # noqa: S105 - a path
#: No header can be called so: a blank ends the name of one.
BASE_HEADER = "our own address"


def generate_token(request: Request, refresh_token: bool = False) -> str:
    """Return a new access token: 256 random bits as URL-safe text."""
    return new_token()


class PartnerValidator(OAuth2Validator):  # type: ignore[misc]
    """Client credentials only, confidential clients only, and tokens that never cover more than their client may."""

    def authenticate_client(self, request: Request, *args: Any, **kwargs: Any) -> bool:
        """Return whether the client proves who it is: by a secret, or by an assertion (RFC 7523).

        Raises InvalidRequestError for more than one way (RFC 6749 section 2.3), InvalidClientError with what is wrong
        with an assertion.
        """
        assertion = _parameter(request, "client_assertion")
        if assertion is None and _parameter(request, "client_assertion_type") is None:
            return bool(super().authenticate_client(request, *args, **kwargs))
        if self._extract_basic_auth(request) or _parameter(request, "client_secret") is not None:
            raise InvalidRequestError("A client authenticates in one way only.", request=request)
        if assertion is None or _parameter(request, "client_assertion_type") != ASSERTION_TYPE:
            raise InvalidRequestError(f"The client_assertion_type is {ASSERTION_TYPE}.", request=request)
        try:
            client = client_of_assertion(
                assertion=assertion,
                client_id=_parameter(request, "client_id"),
                audiences=_audiences(request.headers.get(BASE_HEADER, "")),
            )
        except AssertionInvalid as error:
            raise InvalidClientError(error.message, request=request) from error
        request.client = client
        return bool(client.is_usable(request))

    def _authenticate_basic_auth(self, request: Request) -> bool:
        return bool(super()._authenticate_basic_auth(request)) or self._by_earlier_secret(
            request, super()._authenticate_basic_auth
        )

    def _authenticate_request_body(self, request: Request) -> bool:
        return bool(super()._authenticate_request_body(request)) or self._by_earlier_secret(
            request, super()._authenticate_request_body
        )

    def _by_earlier_secret(self, request: Request, check: Callable[[Request], object]) -> bool:
        """Return whether a client has the secret before its newest one, while that is still good."""
        client = request.client
        if not isinstance(client, ApiClient) or not has_earlier_secret(client):
            return False
        newest, client.client_secret = client.client_secret, client.earlier_secret
        try:
            request.by_earlier_secret = bool(check(request))
        finally:
            client.client_secret = newest
        return bool(request.by_earlier_secret)

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
        try:
            return tokens.issue_token(
                client=request.client,
                coverage=coverage,
                raw_token=token["access_token"],
                seconds=token["expires_in"],
            )
        except ClientIsDisabled as error:
            raise InvalidClientError(request=request) from error

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


def _parameter(request: Request, name: str) -> str | None:
    value = getattr(request, name, None)
    return value if isinstance(value, str) else None


def _audiences(base: str) -> frozenset[str]:
    """Return the names that assertions may have for us (RFC 7523 section 3, number 3): issuer and token endpoint."""
    return frozenset({base, f"{base}/", f"{base}{TOKEN_PATH}"})


def credentials_of(request: HttpRequest) -> tuple[ApiClient, bool] | None:
    """Return the client that a form authenticates, and whether its newest credentials did; None for nobody.

    Raises OAuth2Error for credentials that say what is wrong with them.
    """
    core = PartnerOAuthCore(None)
    uri, http_method, body, headers = core._extract_params(request)
    asked = Request(uri, http_method, body, headers)
    if not PartnerValidator().authenticate_client(asked):
        return None
    client: ApiClient = asked.client
    note_use(client)
    return client, not getattr(asked, "by_earlier_secret", False)


class PartnerOAuthCore(OAuthLibCore):  # type: ignore[misc]
    """The library's bridge from Django to oauthlib, with introspection added."""

    def extract_headers(self, request: HttpRequest) -> dict[str, str]:
        """Return the headers, with our own address under a name that no request can have."""
        headers: dict[str, str] = super().extract_headers(request)
        return {**headers, BASE_HEADER: request.build_absolute_uri("/").rstrip("/")}

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
