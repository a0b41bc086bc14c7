"""Policy decisions about a partner's jobs."""

from uuid import UUID

from django.db.models import QuerySet
from django_filters.rest_framework import FilterSet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView, RetrieveAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.authentication import grant_of
from governance.api.filters import MomentFilter
from governance.api.needs import READ_JOBS
from governance.api.v1.decisions.serializers import DecisionSerializer, ExplainedDecisionSerializer
from governance.api.v1.receipts import receipt_response, receipt_schema
from governance.api.v1.visibility import decisions_for
from governance.audit.evidence.receipts import needed_receipt, receipt_file
from governance.audit.types import SubjectRef
from governance.decisions.entries import DecisionRecorded
from governance.decisions.models import DecisionRecord


class DecisionFilterSet(FilterSet):  # type: ignore[misc]
    """By kind, effect, purpose, job and time."""

    decided_after = MomentFilter(field_name="decided_at", lookup_expr="gte", help_text="At or after (RFC 3339).")
    decided_before = MomentFilter(field_name="decided_at", lookup_expr="lt", help_text="Before (RFC 3339).")

    class Meta:
        model = DecisionRecord
        fields = ["kind", "effect", "purpose", "job_id"]


@extend_schema_view(get=extend_schema(operation_id="list_decisions", tags=["decisions"], summary="List decisions"))
class DecisionListView(ListAPIView[DecisionRecord]):
    """The decisions about the partner's jobs."""

    needs = {"GET": READ_JOBS}

    queryset = DecisionRecord.objects.none()
    serializer_class = DecisionSerializer
    filterset_class = DecisionFilterSet

    def get_queryset(self) -> QuerySet[DecisionRecord]:
        """Return the partner's own."""
        return decisions_for(grant_of(self.request))


@extend_schema_view(get=extend_schema(operation_id="get_decision", tags=["decisions"], summary="See why"))
class DecisionView(RetrieveAPIView[DecisionRecord]):
    """One decision."""

    needs = {"GET": READ_JOBS}

    queryset = DecisionRecord.objects.none()
    serializer_class = ExplainedDecisionSerializer
    lookup_field = "id"
    filter_backends = []

    def get_queryset(self) -> QuerySet[DecisionRecord]:
        """Return the partner's own."""
        return decisions_for(grant_of(self.request))


class DecisionReceiptView(APIView):
    """The receipt of a decision."""

    needs = {"GET": READ_JOBS}

    @receipt_schema(operation_id="get_decision_receipt", tag="decisions", codes=())
    def get(self, request: Request, id: UUID) -> Response:
        """Return the signed decision as a file that proves by itself when it was made, and by which policy."""
        decision = get_object_or_404(decisions_for(grant_of(request)), id=id)
        receipt = needed_receipt(SubjectRef("decision", str(decision.id)), DecisionRecorded)
        return receipt_response(receipt_file(receipt), f"decision-{decision.id}")
