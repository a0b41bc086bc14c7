"""What a job leaves: its output and its evidence."""

import base64
import mimetypes
from uuid import UUID

from django.http import HttpResponse
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.authentication import grant_of
from governance.api.errors import EvidenceNotReady
from governance.api.needs import READ_JOBS, READ_OUTPUTS
from governance.api.schema import problems
from governance.api.v1.jobs.serializers import EvidenceSerializer
from governance.api.v1.receipts import receipt_response, receipt_schema
from governance.audit.evidence.receipts import evidence_file
from governance.audit.models import EvidenceRecord
from governance.audit.queries import evidence_for
from governance.audit.types import SubjectRef
from governance.catalog.objects import read_verified
from governance.jobs.models import Job, JobOutput
from governance.jobs.queries import job_within, released_output

HEADERS = [
    OpenApiParameter("ETag", str, OpenApiParameter.HEADER, response=[200, 304], description="The output's SHA-256."),
    OpenApiParameter(
        "Repr-Digest", str, OpenApiParameter.HEADER, response=[200], description="RFC 9530, with sha-256."
    ),
    OpenApiParameter("Content-Disposition", str, OpenApiParameter.HEADER, response=[200]),
]


class JobOutputView(APIView):
    """The released output."""

    needs = {"GET": READ_OUTPUTS}

    @extend_schema(
        operation_id="get_job_output",
        tags=["jobs"],
        summary="Fetch the output",
        parameters=[
            OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="ETags that you have."),
            *HEADERS,
        ],
        responses={
            (200, "image/png"): OpenApiResponse(OpenApiTypes.BINARY, description="The image."),
            304: OpenApiResponse(description="You have it already."),
        },
        extensions=problems("job_not_found", "output_not_released", "object_altered", "object_missing"),
    )
    def get(self, request: Request, id: UUID) -> HttpResponse:
        """Return the image, hashed again on its way out."""
        job = job_within(grant_of(request), id)
        output = released_output(job=job)
        if _known_to_caller(request, output):
            response = HttpResponse(status=304)
        else:
            response = _file(output, read_verified(output.object_name, output.sha256))
        response["ETag"] = f'"{output.sha256}"'
        response["Cache-Control"] = "private, no-cache"
        return response


def _known_to_caller(request: Request, output: JobOutput) -> bool:
    """Return whether If-None-Match names the output (RFC 9110 section 13.1.2, weak comparison)."""
    tags = {tag.removeprefix("W/") for tag in parse_etags(request.headers.get("If-None-Match", ""))}
    return not tags.isdisjoint({"*", f'"{output.sha256}"'})


def _file(output: JobOutput, data: bytes) -> HttpResponse:
    extension = mimetypes.guess_extension(output.media_type) or ""
    digest = base64.b64encode(bytes.fromhex(output.sha256)).decode("ascii")
    return HttpResponse(
        data,
        content_type=output.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{output.job_id}{extension}"',
            "Repr-Digest": f"sha-256=:{digest}:",  # RFC 9530 section 3
        },
    )


class JobEvidenceView(APIView):
    """The evidence of how a job ended."""

    needs = {"GET": READ_JOBS}

    @extend_schema(
        operation_id="get_job_evidence",
        tags=["jobs"],
        summary="Fetch the evidence",
        responses=EvidenceSerializer,
        extensions=problems("job_not_found", "evidence_not_ready"),
    )
    def get(self, request: Request, id: UUID) -> Response:
        """Return the signed statement, and where it was written once and for ever."""
        job = job_within(grant_of(request), id)
        return Response(EvidenceSerializer(_evidence_of(job)).data)


class JobReceiptView(APIView):
    """The receipt of how a job ended."""

    needs = {"GET": READ_JOBS}

    @receipt_schema(operation_id="get_job_receipt", tag="jobs", codes=("job_not_found", "evidence_not_ready"))
    def get(self, request: Request, id: UUID) -> Response:
        """Return the evidence as a file that proves by itself: the output's SHA-256 and all that led to it."""
        job = job_within(grant_of(request), id)
        return receipt_response(evidence_file(_evidence_of(job)), f"job-{job.id}")


def _evidence_of(job: Job) -> EvidenceRecord:
    evidence = evidence_for(SubjectRef("job", str(job.id)))
    if evidence is None:
        raise EvidenceNotReady(f"The job is {job.get_state_display().lower()}; its end has no evidence yet.")
    return evidence
