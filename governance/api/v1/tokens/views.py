"""The OAuth 2.0 endpoints, and what the token of a request covers."""

import json
from http import HTTPStatus
from typing import cast

from django.http import HttpResponse, JsonResponse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from oauth2_provider.oauth2_backends import get_oauthlib_core
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.authentication import grant_of
from governance.api.middleware import request_id_of
from governance.api.needs import ANY_TOKEN
from governance.api.needs import CLIENT as BY_CREDENTIALS
from governance.api.schema import CLIENT
from governance.api.throttling import OAuthThrottle
from governance.api.v1.tokens.serializers import (
    IntrospectionSerializer,
    OAuthErrorSerializer,
    OwnTokenSerializer,
    TokenFormSerializer,
    TokenRequestSerializer,
    TokenResponseSerializer,
)
from governance.kernel.json_reading import read_json_object

FORM = "application/x-www-form-urlencoded"
#: What the protocol's bare codes mean here; others come with a description of their own.
MEANINGS = {
    "invalid_client": "The client's credentials are missing or wrong.",
    "unsupported_grant_type": "Only grant_type=client_credentials is offered.",
}
REFUSALS = {400: OAuthErrorSerializer, 401: OAuthErrorSerializer}
#: A security requirement with its scopes, which the type of `auth` does not allow for, though the generator does.
BY_CLIENT = cast("list[str]", [{CLIENT: []}])
NARROWED = '[{"type": "assent_job", "purposes": ["research"], "models": ["espcn-x2"]}]'


class OAuthView(APIView):
    """A form endpoint where clients authenticate by their secret. Errors are those of RFC 6749 section 5.2."""

    needs = {"POST": BY_CREDENTIALS}

    authentication_classes = []
    permission_classes = []
    throttle_classes = [OAuthThrottle]
    parser_classes = [FormParser]

    def exchange(self, request: Request) -> tuple[str, int]:
        """Return body and status of the protocol's answer."""
        raise NotImplementedError

    def post(self, request: Request) -> HttpResponse:
        """Answer the form. Nobody may store the answer (RFC 6749 section 5.1)."""
        fault = _fault_of_form(request)
        body, status = (json.dumps({"error": "invalid_request", "error_description": fault}), 400)
        if not fault:
            body, status = self.exchange(request)
        response = _answer(request, body, status)
        response["Cache-Control"] = "no-store"
        if status == HTTPStatus.UNAUTHORIZED:
            OAuthThrottle().count_failure(request)
            response["WWW-Authenticate"] = 'Basic realm="assent", charset="UTF-8"'
        return response


def _fault_of_form(request: Request) -> str:
    """Return what RFC 6749 section 3.2 forbids: parameters in the URL, and parameters sent twice."""
    if request.META.get("QUERY_STRING"):
        return "Parameters belong into the form, not into the URL."
    repeated = any(len(values) > 1 for _, values in request.POST.lists())
    return "A parameter was sent more than once." if repeated else ""


def _answer(request: Request, body: str, status: int) -> HttpResponse:
    if status < HTTPStatus.BAD_REQUEST:
        return HttpResponse(body, status=status, content_type="application/json")
    members = read_json_object(body)
    meaning = MEANINGS.get(str(members.get("error")))
    if meaning is not None:
        members.setdefault("error_description", meaning)
    return JsonResponse({**members, "request_id": request_id_of(request)}, status=status)


@extend_schema_view(
    post=extend_schema(
        operation_id="get_token",
        tags=["tokens"],
        summary="Get an access token (client credentials)",
        description="The token lives for 15 minutes at most and never covers more than its client may have.",
        auth=BY_CLIENT,
        request={FORM: TokenRequestSerializer},
        responses={200: TokenResponseSerializer, **REFUSALS},
        examples=[
            OpenApiExample("All that the client may do", {"grant_type": "client_credentials"}, request_only=True),
            OpenApiExample(
                "Narrowed",
                {"grant_type": "client_credentials", "scope": "asset.infer", "authorization_details": NARROWED},
                request_only=True,
            ),
        ],
    )
)
class TokenView(OAuthView):
    """Getting a token."""

    def exchange(self, request: Request) -> tuple[str, int]:
        """Return a token, or why there is none."""
        _, _, body, status = get_oauthlib_core().create_token_response(request)
        return body, status


@extend_schema_view(
    post=extend_schema(
        operation_id="introspect_token",
        tags=["tokens"],
        summary="Examine a token (RFC 7662)",
        description="Tells about live tokens of the asking client's partner; any other is just not active.",
        auth=BY_CLIENT,
        request={FORM: TokenFormSerializer},
        responses={200: IntrospectionSerializer, **REFUSALS},
    )
)
class IntrospectionView(OAuthView):
    """Examining a token."""

    def exchange(self, request: Request) -> tuple[str, int]:
        """Return what the token covers."""
        _, body, status = get_oauthlib_core().create_introspection_response(request)
        return body, status


@extend_schema_view(
    post=extend_schema(
        operation_id="revoke_token",
        tags=["tokens"],
        summary="Revoke a token (RFC 7009)",
        description="Takes effect at once. A token of another client is left alone, with the same answer.",
        auth=BY_CLIENT,
        request={FORM: TokenFormSerializer},
        responses={200: None, **REFUSALS},
    )
)
class RevocationView(OAuthView):
    """Revoking a token."""

    def exchange(self, request: Request) -> tuple[str, int]:
        """Revoke the token and return nothing."""
        _, _, body, status = get_oauthlib_core().create_revocation_response(request)
        return body, status


class OwnTokenView(APIView):
    """The token of the request itself."""

    needs = {"GET": ANY_TOKEN}

    @extend_schema(
        operation_id="get_own_token",
        tags=["tokens"],
        summary="What my token covers",
        responses=OwnTokenSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return the partner, the client, and what the token covers until when."""
        return Response(OwnTokenSerializer(grant_of(request)).data)
