"""Kinds of ledger entries of decisions, permits and replays."""

from typing import Annotated, Self
from uuid import UUID

from governance.audit.recording.declarations import Entry, entry
from governance.decisions.models import DecisionRecord


@entry("decision.recorded", subject="decision", receipt="decision/v1")
class DecisionRecorded(Entry):
    """Policy decided about a job: at admission, before it ran, or before its output was released."""

    decision_kind: Annotated[str, "What was decided about: admission, permit or release."]
    job: Annotated[UUID, "Id of the job."]
    effect: Annotated[str, "`permit` or `deny`."]
    reason_codes: Annotated[tuple[str, ...], "Codes of the reasons, sorted."]
    facts_sha256: Annotated[str, "SHA-256 of the facts of every question as canonical JSON."]
    revision: Annotated[str, "Digest of the policy revision; empty if none was active."]
    engine: Annotated[str, "Name of the engine that answered; `none` if none did."]

    @classmethod
    def of(cls, decision: DecisionRecord) -> Self:
        """Return what the ledger says of a decision."""
        return cls(
            decision_kind=decision.kind,
            job=decision.job_id,
            effect=decision.effect,
            reason_codes=tuple(decision.reason_codes),
            facts_sha256=decision.facts_digest,
            revision=decision.revision_digest,
            engine=decision.engine,
        )
