"""The endpoints of the Authorization API 1.0 (section 10.1, the HTTPS binding).

A denial is an answer with status 200; errors are about the request itself, and are problem documents.
"""

from typing import TypeVar

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from governance.api.authentication import grant_of
from governance.api.authzen import search
from governance.api.authzen.evaluations import evaluate, evaluate_all, with_defaults
from governance.api.authzen.serializers import (
    SEMANTICS,
    AccessDecisionSerializer,
    ActionResultsSerializer,
    ActionSearchSerializer,
    EntityResultsSerializer,
    EvaluationRequestSerializer,
    EvaluationsRequestSerializer,
    EvaluationsResponseSerializer,
    MetadataSerializer,
    ResourceSearchSerializer,
    SubjectSearchSerializer,
)
from governance.api.middleware import request_id_of
from governance.api.needs import ANYBODY, ASK_POLICY
from governance.api.schema import problems

PATHS = {
    "access_evaluation_endpoint": "/access/v1/evaluation",
    "access_evaluations_endpoint": "/access/v1/evaluations",
    "search_subject_endpoint": "/access/v1/search/subject",
    "search_resource_endpoint": "/access/v1/search/resource",
    "search_action_endpoint": "/access/v1/search/action",
}
T = TypeVar("T")
NO_POLICY = ("no_active_revision", "policy_frozen", "permitted_set_unavailable")


class AuthZenView(APIView):
    """A POST with a JSON body. A body of another media type is a bad request (section 10.1.7)."""

    needs = {"POST": ASK_POLICY}

    def handle_exception(self, exc: Exception) -> Response:
        """Return the error response."""
        if isinstance(exc, UnsupportedMediaType):
            exc = ParseError("The body must be application/json.")
        return super().handle_exception(exc)


class EvaluationView(AuthZenView):
    """One question."""

    @extend_schema(
        operation_id="authzen_evaluation",
        tags=["authzen"],
        summary="Ask one question",
        request=EvaluationRequestSerializer,
        responses=AccessDecisionSerializer,
    )
    def post(self, request: Request) -> Response:
        """Answer whether the subject may do the action with the resource."""
        asked = _valid(EvaluationRequestSerializer, request.data)
        return Response(evaluate(grant=grant_of(request), asked=asked, request_id=request_id_of(request)))


class EvaluationsView(AuthZenView):
    """Several questions."""

    @extend_schema(
        operation_id="authzen_evaluations",
        tags=["authzen"],
        summary="Ask several questions",
        request=EvaluationsRequestSerializer,
        responses=EvaluationsResponseSerializer,
    )
    def post(self, request: Request) -> Response:
        """Answer a batch in its order; without a batch, one question."""
        asked = _valid(EvaluationsRequestSerializer, request.data)
        grant, request_id = grant_of(request), request_id_of(request)
        if not asked.get("evaluations"):
            one = _valid(EvaluationRequestSerializer, request.data)
            return Response(evaluate(grant=grant, asked=one, request_id=request_id))
        semantic = asked.get("options", {}).get("evaluations_semantic", SEMANTICS[0])
        batch = with_defaults(asked)
        decisions = evaluate_all(grant=grant, batch=batch, semantic=semantic, request_id=request_id)
        return Response({"evaluations": decisions})


class SubjectSearchView(AuthZenView):
    """Search for subjects."""

    @extend_schema(
        operation_id="authzen_search_subject",
        tags=["authzen"],
        summary="Search for subjects",
        request=SubjectSearchSerializer,
        responses=EntityResultsSerializer,
        extensions=problems("query_invalid"),
    )
    def post(self, request: Request) -> Response:
        """Return the clients that may do the action with the resource."""
        return Response(search.subjects(grant=grant_of(request), asked=_valid(SubjectSearchSerializer, request.data)))


class ResourceSearchView(AuthZenView):
    """Search for resources."""

    @extend_schema(
        operation_id="authzen_search_resource",
        tags=["authzen"],
        summary="Search for resources",
        request=ResourceSearchSerializer,
        responses=EntityResultsSerializer,
        extensions=problems("query_invalid", "model_needed", *NO_POLICY),
    )
    def post(self, request: Request) -> Response:
        """Return the works or models with which the subject may do the action."""
        return Response(search.resources(grant=grant_of(request), asked=_valid(ResourceSearchSerializer, request.data)))


class ActionSearchView(AuthZenView):
    """Search for actions."""

    @extend_schema(
        operation_id="authzen_search_action",
        tags=["authzen"],
        summary="Search for actions",
        request=ActionSearchSerializer,
        responses=ActionResultsSerializer,
        extensions=problems("query_invalid"),
    )
    def post(self, request: Request) -> Response:
        """Return what the subject may do with the resource."""
        return Response(search.actions(grant=grant_of(request), asked=_valid(ActionSearchSerializer, request.data)))


class MetadataView(APIView):
    """What this policy decision point offers."""

    needs = {"GET": ANYBODY}

    authentication_classes = []
    permission_classes = []
    throttle_classes = []

    @extend_schema(
        operation_id="authzen_configuration",
        tags=["authzen"],
        summary="Discover the Authorization API",
        responses=MetadataSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return where the endpoints are (section 9)."""
        here = request.build_absolute_uri("/").rstrip("/")
        endpoints = {name: f"{here}{path}" for name, path in PATHS.items()}
        return Response({"policy_decision_point": here, **endpoints}, headers={"Cache-Control": "public, max-age=300"})


def _valid(form: type[Serializer[T]], data: object) -> T:
    """Return the validated body. Raises ValidationError."""
    serializer = form(data=data)
    serializer.is_valid(raise_exception=True)
    valid: T = serializer.validated_data
    return valid
