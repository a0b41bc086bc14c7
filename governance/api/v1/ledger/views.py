"""What was in force: the partner's own state and tier at a moment, rebuilt from the ledger, with proof.

Nothing else is told here: entries about licences and models name other partners.
"""

from datetime import datetime

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.authentication import grant_of
from governance.api.filters import read_query
from governance.api.needs import ANY_TOKEN
from governance.api.schema import problems
from governance.api.v1.ledger.serializers import AsOfQuery, StateSerializer
from governance.audit.errors import ObjectUnknown
from governance.audit.evidence.state_proof import state_document
from governance.audit.recording.asof import AsOf, as_of, find_as_of, read_moment
from governance.kernel import clock
from governance.partners.entries import PARTNER, TIER
from governance.partners.models import Partner


class AsOfView(APIView):
    """The partner's own state and tier at a moment."""

    needs = {"GET": ANY_TOKEN}

    @extend_schema(
        operation_id="get_state_as_of",
        tags=["ledger"],
        summary="See what was in force",
        parameters=[AsOfQuery],
        responses=StateSerializer,
        extensions=problems("moment_invalid", "ledger_object_unknown", "ledger_entry_altered", "log_incomplete"),
    )
    def get(self, request: Request) -> Response:
        """Return the partner's own state, or its tier's, at a moment. Other partners cannot be asked about."""
        partner = grant_of(request).partner
        asked = read_query(AsOfQuery, request)
        at = read_moment(asked["at"]) if "at" in asked else clock.now()
        found = {PARTNER.subject: _partner_as_of, TIER.subject: _tier_as_of}[asked["type"]](partner, at)
        return Response(state_document(found), headers={"Cache-Control": "no-store"})


def _partner_as_of(partner: Partner, at: datetime) -> AsOf:
    return as_of(subject=PARTNER.ref(partner), at=at)


def _tier_as_of(partner: Partner, at: datetime) -> AsOf:
    """Return the tier that the partner was in at a moment, as it was then. Raises ObjectUnknown."""
    state = _partner_as_of(partner, at).state
    if state is None:
        raise ObjectUnknown("The ledger tells of no tier that the partner was in at that moment.")
    return find_as_of(type_name=TIER.subject, name=str(state["tier"]), at=at)
