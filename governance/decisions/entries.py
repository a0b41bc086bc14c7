"""Kinds of ledger entries of decisions, permits and replays."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from governance.audit.recording.declarations import Entry, entry
from governance.decisions.models import DecisionRecord, Permit, ReplayReport


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
        """Return the entry about a decision."""
        return cls(
            decision_kind=decision.kind,
            job=decision.job_id,
            effect=decision.effect,
            reason_codes=tuple(decision.reason_codes),
            facts_sha256=decision.facts_digest,
            revision=decision.revision_digest,
            engine=decision.engine,
        )


@entry("engine.disagreed", subject="decision", unmatched="The denial is matched as `decision.recorded`; this says why.")
class EngineDisagreed(Entry):
    """Two policy engines gave different answers to the same question, so the decision was a denial."""

    facts_sha256: Annotated[str, "SHA-256 of the facts of every question as canonical JSON."]
    revision: Annotated[str, "Digest of the policy revision that both were asked by."]

    @classmethod
    def of(cls, decision: DecisionRecord) -> Self:
        """Return the entry about engines that disagreed about a decision."""
        return cls(facts_sha256=decision.facts_digest, revision=decision.revision_digest)


@entry("permit.issued", subject="permit")
class PermitIssued(Entry):
    """A worker got a permit to run one job once, within a short time."""

    job: Annotated[UUID, "Id of the job."]
    decision: Annotated[UUID, "Id of the decision that permits it."]
    expires_at: Annotated[datetime, "When the permit ends if it is not used."]

    @classmethod
    def of(cls, permit: Permit) -> Self:
        """Return the entry about a new permit."""
        return cls(job=permit.job_id, decision=permit.decision_id, expires_at=permit.expires_at)


@entry("permit.redeemed", subject="permit")
class PermitRedeemed(Entry):
    """A model runtime used a permit, which cannot be used again."""

    job: Annotated[UUID, "Id of the job."]
    decision: Annotated[UUID, "Id of the decision that permitted it."]

    @classmethod
    def of(cls, permit: Permit) -> Self:
        """Return the entry about a permit that was used."""
        return cls(job=permit.job_id, decision=permit.decision_id)


@entry("permit.refused", subject="permit", unmatched="A refusal changes nothing about the permit.")
class PermitRefused(Entry):
    """A model runtime presented a permit that did not cover the intended run, and was refused."""

    job: Annotated[UUID, "Id of the job that the permit is for."]
    decision: Annotated[UUID, "Id of the decision that permitted it."]
    reason_code: Annotated[str, "Why, such as `permit_expired`."]

    @classmethod
    def of(cls, permit: Permit, *, reason_code: str) -> Self:
        """Return the entry about a permit that was refused."""
        return cls(job=permit.job_id, decision=permit.decision_id, reason_code=reason_code)


@dataclass(frozen=True, kw_only=True)
class ReplayEntry(Entry):
    """The common fields of entries about a replay of a draft against recorded decisions."""

    draft: Annotated[UUID, "Id of the policy draft."]
    digest: Annotated[str, "SHA-256 of the draft's content when the replay was asked for."]
    base: Annotated[str, "Digest of the revision that was active then."]


_REPLAY = "A replay only informs people. That a draft was replayed is matched as `draft.replayed`."


@entry("replay.requested", subject="replay", unmatched=_REPLAY)
class ReplayRequested(ReplayEntry):
    """A replay of a draft against recorded decisions was requested."""

    percent: Annotated[int, "Share of the decisions that is replayed, 1 to 100."]
    decisions: Annotated[int, "How many decisions that is."]

    @classmethod
    def of(cls, report: ReplayReport) -> Self:
        """Return the entry about a requested replay."""
        return cls(
            draft=report.draft_id,
            digest=report.draft_digest,
            base=report.base_digest,
            percent=report.sample_percent,
            decisions=report.total,
        )


@entry("replay.cancelled", subject="replay", unmatched=_REPLAY)
class ReplayCancelled(ReplayEntry):
    """A replay was stopped before its end."""

    done: Annotated[int, "How many decisions were replayed until then."]

    @classmethod
    def of(cls, report: ReplayReport) -> Self:
        """Return the entry about a replay that was stopped."""
        return cls(draft=report.draft_id, digest=report.draft_digest, base=report.base_digest, done=report.done)


@dataclass(frozen=True, kw_only=True)
class ReplayEnded(ReplayEntry):
    """The common fields of entries about a replay that was not stopped."""

    done: Annotated[int, "How many decisions were replayed."]
    to_deny: Annotated[int, "How many permits would become denials."]
    to_permit: Annotated[int, "How many denials would become permits."]

    @classmethod
    def of(cls, report: ReplayReport) -> Self:
        """Return the entry about a replay that ended."""
        return cls(
            draft=report.draft_id,
            digest=report.draft_digest,
            base=report.base_digest,
            done=report.done,
            to_deny=report.to_deny,
            to_permit=report.to_permit,
        )


@entry("replay.finished", subject="replay", unmatched=_REPLAY)
class ReplayFinished(ReplayEnded):
    """A draft was replayed against all selected decisions."""


@entry("replay.failed", subject="replay", unmatched=_REPLAY)
class ReplayFailed(ReplayEnded):
    """A replay ended early: the draft changed meanwhile, or policy could not answer."""
