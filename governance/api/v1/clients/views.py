"""A partner's own API client. What concerns its credentials takes the newest of them, not a token."""

import json
from datetime import timedelta
from http import HTTPStatus

from drf_spectacular.utils import extend_schema, extend_schema_view
from oauthlib.oauth2 import OAuth2Error
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.authentication import grant_of
from governance.api.needs import ANY_TOKEN
from governance.api.v1.clients.serializers import (
    OwnClientSerializer,
    RevokedSerializer,
    RotationSerializer,
    SecretEndedSerializer,
    SecretSerializer,
)
from governance.api.v1.tokens.serializers import ClientFieldsSerializer
from governance.api.v1.tokens.views import BY_CLIENT, FORM, REFUSALS, OAuthView
from governance.audit.types import Actor
from governance.kernel import clock
from governance.kernel.errors import Conflict
from governance.partners.client_access import revoke_client_tokens
from governance.partners.client_secrets import end_earlier_secret, rotate_secret
from governance.partners.models import ApiClient
from governance.partners.oauth import credentials_of


class OwnClientView(APIView):
    """The client of the request's token."""

    needs = {"GET": ANY_TOKEN}

    @extend_schema(operation_id="get_own_client", tags=["clients"], summary="My client", responses=OwnClientSerializer)
    def get(self, request: Request) -> Response:
        """Return the client: its name, last use, credentials without secrets, and what its tokens may cover."""
        return Response(OwnClientSerializer(grant_of(request).client).data)


class CredentialsView(OAuthView):
    """A form endpoint that a client authenticates to by its newest credentials."""

    def exchange(self, request: Request) -> tuple[str, int]:
        """Return body and status of what the client asked for."""
        try:
            found = credentials_of(request._request)
        except OAuth2Error as error:
            return error.json, error.status_code
        if found is None:
            return _error("invalid_client", HTTPStatus.UNAUTHORIZED)
        client, newest = found
        if not newest:
            return _error("invalid_client", HTTPStatus.UNAUTHORIZED, "This takes the newest secret of the client.")
        try:
            return json.dumps(self.change(request, client)), HTTPStatus.OK
        except Conflict as error:
            return _error("invalid_request", HTTPStatus.BAD_REQUEST, error.message)

    def change(self, request: Request, client: ApiClient) -> dict[str, object]:
        """Do what the client asked for and return the answer. Raises Conflict."""
        raise NotImplementedError


def _error(code: str, status: int, description: str = "") -> tuple[str, int]:
    return json.dumps({"error": code} | ({"error_description": description} if description else {})), status


def _actor(client: ApiClient) -> Actor:
    return Actor("client", client.client_id)


@extend_schema_view(
    post=extend_schema(
        operation_id="rotate_own_secret",
        tags=["clients"],
        summary="Get a new secret",
        description="The secret until now goes on for `overlap_seconds`, so that the new one can be rolled out.",
        auth=BY_CLIENT,
        request={FORM: RotationSerializer},
        responses={200: SecretSerializer, **REFUSALS},
    )
)
class SecretView(CredentialsView):
    """The client's secret."""

    def change(self, request: Request, client: ApiClient) -> dict[str, object]:
        """Return a new secret. It cannot be read again."""
        form = RotationSerializer(data=request.POST)
        form.is_valid(raise_exception=True)
        seconds = form.validated_data["overlap_seconds"]
        until = clock.now() + timedelta(seconds=seconds) if seconds else None
        secret = rotate_secret(client=client, earlier_until=until, actor=_actor(client))
        answer = {"client_id": client.client_id, "client_secret": secret, "earlier_secret_until": until}
        return dict(SecretSerializer(answer).data)


@extend_schema_view(
    post=extend_schema(
        operation_id="end_own_earlier_secret",
        tags=["clients"],
        summary="End the earlier secret",
        description="From now on only the newest secret is good.",
        auth=BY_CLIENT,
        request={FORM: ClientFieldsSerializer},
        responses={200: SecretEndedSerializer, **REFUSALS},
    )
)
class EarlierSecretView(CredentialsView):
    """The secret before the newest one."""

    def change(self, request: Request, client: ApiClient) -> dict[str, object]:
        """End it."""
        end_earlier_secret(client=client, actor=_actor(client))
        return {"client_id": client.client_id, "earlier_secret_until": None}


@extend_schema_view(
    post=extend_schema(
        operation_id="revoke_own_tokens",
        tags=["clients"],
        summary="Revoke all tokens of my client",
        description="At once. Jobs that were submitted with them end as cancelled.",
        auth=BY_CLIENT,
        request={FORM: ClientFieldsSerializer},
        responses={200: RevokedSerializer, **REFUSALS},
    )
)
class ClientTokensView(CredentialsView):
    """The client's tokens."""

    def change(self, request: Request, client: ApiClient) -> dict[str, object]:
        """Revoke them all."""
        live = revoke_client_tokens(client=client, reason="revoked_by_client", actor=_actor(client))
        return {"live_tokens": live}
