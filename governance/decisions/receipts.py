"""The statement in the receipt of a decision: predicate `decision/v1`, in ids, digests and codes."""

from collections.abc import Mapping

from governance.audit.types import StatementParts
from governance.decisions.models import DecisionRecord
from governance.kernel.canonical import Json, timestamp


def decision_statement(decision: DecisionRecord, facts: Mapping[str, Json]) -> StatementParts:
    """Return the statement of a decision; its subject is the SHA-256 of the facts that it rests on.

    The facts themselves stay inside: they name creators. Who decided for whom is the partner's and the client's id.
    """
    return {
        "statement_subject": [{"name": "facts", "digest": {"sha256": decision.facts_digest}}],
        "predicate": {
            **facts,
            "decision": str(decision.id),
            "partner": decision.partner,
            "client": decision.client_id,
            "purpose": decision.purpose,
            "obligations": list(decision.obligations),
            "decided_at": timestamp(decision.decided_at),
        },
    }
