"""What receipts of the rulebook say: predicate `policy-activation/v1`."""

from collections.abc import Mapping

from governance.audit.types import StatementParts
from governance.kernel.canonical import Json
from governance.rulebook.models import PolicyRevision


def activation_statement(revision: PolicyRevision, facts: Mapping[str, Json]) -> StatementParts:
    """Return the statement that a revision became active; its subject is the revision's content."""
    return {
        "statement_subject": [{"name": "policy", "digest": {"sha256": revision.digest}}],
        "predicate": dict(facts),
    }
