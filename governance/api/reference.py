"""Explanations of problem types, and the answer at unknown URLs."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.catalogue import problem_kinds
from governance.api.needs import ANYBODY
from governance.api.problems import known, respond


class ProblemKindSerializer(serializers.Serializer[object]):
    """What a problem code stands for."""

    code = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    description = serializers.CharField()


class ProblemKindView(APIView):
    """One kind of problem."""

    needs = {"GET": ANYBODY}
    authentication_classes = []
    permission_classes = []
    throttle_classes = []

    @extend_schema(
        operation_id="explain_problem",
        tags=["problems"],
        summary="Explain a problem code",
        responses=ProblemKindSerializer,
    )
    def get(self, request: Request, code: str) -> Response:
        """Return what the code stands for."""
        kind = problem_kinds().get(code)
        if kind is None:
            raise Http404
        return Response(ProblemKindSerializer(kind).data)


@csrf_exempt
def unknown_url(request: HttpRequest, *args: object) -> HttpResponse:
    """Answer any method at any other URL below /api."""
    return respond(request, known("not_found", "There is nothing at this URL."))
