"""Jobs: submitting, watching and cancelling them."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.authentication import grant_of
from governance.api.errors import IdempotencyKeyMissing
from governance.api.middleware import request_id_of
from governance.api.needs import CANCEL_JOBS, READ_JOBS, SUBMIT_JOBS
from governance.api.problems import known, respond
from governance.api.schema import problems
from governance.api.v1.jobs.filters import JobFilterSet
from governance.api.v1.jobs.serializers import JobDetailSerializer, JobRequestSerializer, JobSerializer
from governance.audit.types import Actor
from governance.decisions.choices import DecisionEffect
from governance.jobs.models import Job
from governance.jobs.queries import job_within, jobs_within
from governance.workflows.cancel_job import cancel_job
from governance.workflows.submit_job import SubmitOutcome, submit_job

KEY_HEADER = "Idempotency-Key"
REPLAY_HEADER = "Idempotency-Replayed"
EXAMPLE = {
    "model": "espcn-x2",
    "task": "upscale",
    "purpose": "non_commercial",
    "inputs": ["01997c3e-8f6b-7d5c-9a53-2f1d0c6e4b7a"],
}


@extend_schema_view(get=extend_schema(operation_id="list_jobs", tags=["jobs"], summary="List jobs"))
class JobListView(ListAPIView[Job]):
    """The partner's jobs."""

    needs = {"GET": READ_JOBS, "POST": SUBMIT_JOBS}

    queryset = Job.objects.none()
    serializer_class = JobSerializer
    filterset_class = JobFilterSet

    def get_queryset(self) -> QuerySet[Job]:
        """Return the partner's own, as far as the token covers them."""
        return jobs_within(grant_of(self.request))

    @extend_schema(
        operation_id="submit_job",
        tags=["jobs"],
        summary="Submit a job",
        request=JobRequestSerializer,
        responses={202: OpenApiResponse(JobDetailSerializer, description="Admitted and queued.")},
        filters=False,
        examples=[OpenApiExample("Upscale a work", EXAMPLE, request_only=True)],
        parameters=[
            OpenApiParameter(
                KEY_HEADER,
                {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]([ -~]*[!-~])?$"},
                OpenApiParameter.HEADER,
                required=True,
                description="The same key with the same body returns the first answer, marked `Idempotency-Replayed`.",
            ),
            OpenApiParameter(
                REPLAY_HEADER, OpenApiTypes.BOOL, OpenApiParameter.HEADER, response=[202, 403],
                description="Whether this answers an earlier request once more.",
            ),
            OpenApiParameter("Location", OpenApiTypes.URI_REF, OpenApiParameter.HEADER, response=[202]),
        ],
        extensions=problems(
            "denied",
            "idempotency_key_missing",
            "idempotency_key_invalid",
            "idempotency_key_reused",
            "task_mismatch",
            "input_too_large",
            "model_not_found",
            "model_version_not_found",
            "asset_not_found",
            "too_many_open_jobs",
        ),
    )  # fmt: skip
    def post(self, request: Request) -> HttpResponse:
        """Ask for a job. It is decided at once: 202 and queued, or 403 with the reasons, and nothing is queued."""
        form = JobRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        outcome = submit_job(
            grant=grant_of(request),
            request=form.to_request(),
            idempotency_key=_idempotency_key(request),
            request_id=request_id_of(request),
        )
        return _answer(request, outcome)


def _idempotency_key(request: Request) -> str:
    key = request.headers.get(KEY_HEADER)
    if key is None:
        raise IdempotencyKeyMissing(f"Send the header {KEY_HEADER}, with a new value for every new request.")
    return key


def _answer(request: Request, outcome: SubmitOutcome) -> HttpResponse:
    """Return what admission decided, for a repeated request the same again, whatever became of the job since."""
    job, replayed = outcome.job, "false" if outcome.created else "true"
    headers = {REPLAY_HEADER: replayed}
    if job.admission.effect == DecisionEffect.PERMIT:
        headers["Location"] = reverse("v1:job", args=[job.id])
        return Response(JobDetailSerializer(job).data, status=202, headers=headers)
    reasons = [{"code": reason["code"], "message": reason["message"]} for reason in job.admission.reasons]
    denied = known(
        "denied",
        " ".join(reason["message"] for reason in reasons),
        headers=headers,
        decision_id=str(job.admission_id),
        job_id=str(job.id),
        reasons=reasons,
    )
    return respond(request, denied)


@extend_schema_view(get=extend_schema(operation_id="get_job", tags=["jobs"], summary="Look at a job"))
class JobView(RetrieveAPIView[Job]):
    """One job."""

    needs = {"GET": READ_JOBS}

    queryset = Job.objects.none()
    serializer_class = JobDetailSerializer
    lookup_field = "id"
    filter_backends = []

    def get_queryset(self) -> QuerySet[Job]:
        """Return the partner's own, as far as the token covers them."""
        return jobs_within(grant_of(self.request))


class JobCancelView(APIView):
    """Cancelling a job."""

    needs = {"POST": CANCEL_JOBS}

    @extend_schema(
        operation_id="cancel_job",
        tags=["jobs"],
        summary="Cancel a job",
        request=None,
        responses=JobDetailSerializer,
        extensions=problems("job_not_found", "job_transition_refused"),
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Cancel a job that waits; ask the worker to stop one that runs, which `cancel_requested` then shows."""
        grant = grant_of(request)
        cancelled = cancel_job(job=job_within(grant, id), actor=Actor("client", grant.client.client_id))
        return Response(JobDetailSerializer(cancelled).data)
