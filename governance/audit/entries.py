"""Kinds of ledger entries of the audit area."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Self, TypedDict
from uuid import UUID

from governance.audit.models import EvidenceRecord, LogAlarm, ReconciliationReport, RetentionClass, WormReference
from governance.audit.recording.declarations import Entry, Since, entry
from governance.audit.recording.states import RecordedObject, State, StateEntry, recorded_object
from governance.audit.types import WormObject
from governance.kernel.canonical import Json, digest

#: Evidence is about whatever ended; today that is a job.
EVIDENCE_SUBJECTS = ("job",)


@entry("evidence.issued", subject=EVIDENCE_SUBJECTS)
class EvidenceIssued(Entry):
    """Evidence of how something ended was signed."""

    evidence_id: Annotated[UUID, "Id of the evidence record."]
    outcome: Annotated[str, "How the subject ended."]
    predicate_type: Annotated[str, "Predicate type of the signed statement."]
    envelope_sha256: Annotated[str, "SHA-256 of the DSSE envelope."]
    key_id: Annotated[str, "Id of the key that signed it."]

    @classmethod
    def of(cls, evidence: EvidenceRecord) -> Self:
        """Return the entry about an evidence record."""
        return cls(
            evidence_id=evidence.id,
            outcome=evidence.outcome,
            predicate_type=evidence.predicate_type,
            envelope_sha256=evidence.envelope_sha256,
            key_id=evidence.key_id,
        )


class ObjectFacts(TypedDict):
    """The fields of a `StoredObject`."""

    uri: str
    version_id: str
    sha256: str
    size: int
    mode: str
    retain_until: datetime


def object_facts(reference: WormReference) -> ObjectFacts:
    """Return the entry about the object that a WORM reference names."""
    return {
        "uri": reference.uri,
        "version_id": reference.version_id,
        "sha256": reference.sha256,
        "size": reference.size,
        "mode": reference.mode,
        "retain_until": reference.retain_until,
    }


@dataclass(frozen=True, kw_only=True)
class StoredObject(Entry):
    """The common fields of entries about an object in WORM storage."""

    uri: Annotated[str, "Where the object lies."]
    version_id: Annotated[str, "Which version of the object it is."]
    sha256: Annotated[str, "SHA-256 of the object's bytes."]
    size: Annotated[int, "Size of the object in bytes."]
    mode: Annotated[str, "How the store keeps it, such as COMPLIANCE."]
    retain_until: Annotated[datetime, "Until when the store keeps it."]


@entry("evidence.anchored", subject=EVIDENCE_SUBJECTS, receipt="worm-anchor/v1")
class EvidenceAnchored(StoredObject):
    """An evidence record was written to WORM storage."""

    evidence_id: Annotated[UUID, "Id of the evidence record."]

    @classmethod
    def of(cls, reference: WormReference) -> Self:
        """Return the entry about the WORM reference of an evidence record."""
        if reference.evidence_id is None:
            raise ValueError(f"{reference} is not the reference of evidence.")
        return cls(evidence_id=reference.evidence_id, **object_facts(reference))


@entry("worm.extended", subject="worm", unmatched="Scrubs hold what the store keeps against the reference itself.")
class ObjectExtended(StoredObject):
    """An object in WORM storage is kept until a later date than before."""

    @classmethod
    def of(cls, reference: WormReference) -> Self:
        """Return the entry about a reference after its object was extended."""
        return cls(**object_facts(reference))


@entry("worm.acknowledged", subject="worm_object", unmatched="It is about an object that no row refers to.")
class ObjectAcknowledged(Entry):
    """An operator acknowledged an object in WORM storage that nothing refers to. The subject is its SHA-256."""

    uri: Annotated[str, "Where the object lies."]
    version_id: Annotated[str, "Which version of the object it is."]
    size: Annotated[int, "Size of the object in bytes."]
    mode: Annotated[str, "How the store keeps it, such as COMPLIANCE."]

    @classmethod
    def of(cls, known: WormObject) -> Self:
        """Return the entry about an object that nothing refers to."""
        return cls(uri=known.uri, version_id=known.version_id, size=known.size, mode=known.mode)


@dataclass(frozen=True, kw_only=True)
class HoldEntry(Entry):
    """The common fields of entries about a legal hold. The subject is the WORM reference that is held."""

    hold: Annotated[UUID, "Id of the legal hold."]
    uri: Annotated[str, "Where the object lies."]
    version_id: Annotated[str, "Which version of the object it is."]


@entry("worm.held", subject="worm")
class HoldSet(HoldEntry):
    """An object was put under legal hold: it stays, whatever its retention."""

    reason_sha256: Annotated[str, "SHA-256 of the reason, which stays beside the log because it may name people."]


@entry("worm.hold_release_asked", subject="worm", unmatched="The release that follows is matched.")
class HoldReleaseAsked(HoldEntry):
    """The release of a legal hold was requested; a second person must confirm it."""

    reason_sha256: Annotated[str, "SHA-256 of the reason, which stays beside the log because it may name people."]


@entry("worm.hold_released", subject="worm")
class HoldReleased(HoldEntry):
    """A second person confirmed the release of a legal hold."""

    asked_by: Annotated[str, "Who asked for it, as type:id."]


@entry("worm.hold_release_withdrawn", subject="worm", unmatched="It takes back a request, and leaves no row.")
class HoldReleaseWithdrawn(HoldEntry):
    """The request to release a legal hold was withdrawn."""


def retention_state(row: RetentionClass) -> State:
    """Return the recorded state of a retention class."""
    return {
        "slug": row.slug,
        "name": row.name,
        "kind": row.kind,
        "partner": row.partner,
        "region": row.region,
        "days": row.days,
    }


RETENTION = recorded_object(
    RecordedObject(
        subject="retention",
        noun="retention class",
        rows=RetentionClass.objects.all,
        key=lambda row: row.slug,
        slug=lambda row: row.slug,
        state=retention_state,
    )
)


@dataclass(frozen=True, kw_only=True)
class RetentionEntry(StateEntry):
    """The common fields of entries about a change to a retention class. The subject is its slug."""

    kind: Annotated[str, "What it is for: evidence, policy or checkpoint."]
    partner: Annotated[str, "Slug of the only partner that it is for; empty for all."]
    region: Annotated[str, "The only region that it is for; empty for all."]
    days: Annotated[int | None, "For how many days objects are kept; null for ever."]
    days_before: Annotated[int | None, "The days before the change; null for ever, 0 for a new class."]

    @classmethod
    def of(cls, row: RetentionClass, *, before: State | None, after: State | None) -> Self:
        """Return the entry about a change to a retention class; at least one state is given."""
        days_before = 0 if before is None else before["days"]
        return cls(
            kind=row.kind,
            partner=row.partner,
            region=row.region,
            days=row.days,
            days_before=days_before if isinstance(days_before, int) else None,
            before=before,
            after=after,
        )


@entry("retention.added", subject="retention")
class RetentionAdded(RetentionEntry):
    """A retention class was created: it applies to objects stored from then on."""


@entry("retention.changed", subject="retention")
class RetentionChanged(RetentionEntry):
    """A retention class was renamed, or keeps objects for longer or shorter from now on."""


@entry("retention.removed", subject="retention")
class RetentionRemoved(RetentionEntry):
    """A retention class was removed: the general class of its kind applies instead."""


@entry("retention.adopted", subject="retention", since="0.2")
class RetentionAdopted(StateEntry):
    """An upgrade or the installation recorded a retention class that had no entry with its whole state."""


@entry("scrub.started", subject="scrub", unmatched="A scrub changes nothing that the log vouches for.")
class ScrubStarted(Entry):
    """A scrub of WORM storage began."""

    objects: Annotated[int, "How many objects there are to read."]


@dataclass(frozen=True, kw_only=True)
class ScrubEnded(Entry):
    """The common fields of entries about the end of a scrub."""

    objects: Annotated[int, "How many objects were read."]
    bytes: Annotated[int, "How many bytes were read."]
    faults: Annotated[int, "How many faults were found; at most 1,000 are counted."]


@entry("scrub.finished", subject="scrub", unmatched="A scrub changes nothing that the log vouches for.")
class ScrubFinished(ScrubEnded):
    """A scrub read every object in WORM storage back."""


@entry("scrub.cancelled", subject="scrub", unmatched="A scrub changes nothing that the log vouches for.")
class ScrubCancelled(ScrubEnded):
    """A scrub was stopped before its end."""


_LOG_KEYS = "The log itself says which keys count where; no table says it too."


@entry("key.announced", subject="key", unmatched=_LOG_KEYS)
class KeyAnnounced(Entry):
    """A signing key is valid from an index of the log on."""

    purpose: Annotated[str, "What the key signs: checkpoints, receipts, evidence, permits and so on."]
    algorithm: Annotated[str, "Its signature algorithm."]
    public_pem: Annotated[str, "The public key as PEM."]
    development: Annotated[bool, "Whether it is a key for development, which nobody outside should trust."]
    from_index: Annotated[int, "The first place in the log at which it counts."]


@entry("key.retired", subject="key", unmatched=_LOG_KEYS)
class KeyRetired(Entry):
    """A signing key is no longer used; what it signed before stays valid."""

    until_index: Annotated[int, "The first place in the log at which it no longer counts."]


@entry("key.revoked", subject="key", unmatched=_LOG_KEYS)
class KeyRevoked(Entry):
    """A signing key is no longer valid, because somebody else may have it."""

    from_index: Annotated[int, "The first place in the log at which it no longer counts."]
    revoked_at: Annotated[datetime, "From which moment on it is not trusted."]


@entry("log.resumed", subject="log", unmatched="An alarm protects the log; it is not part of what the log proves.")
class LogResumed(Entry):
    """An alarm of the log was resolved, and publishing continues. The subject is the alarm's id."""

    code: Annotated[str, "Code of the alarm."]
    raised_at: Annotated[datetime, "When the alarm was raised."]

    @classmethod
    def of(cls, alarm: LogAlarm) -> Self:
        """Return the entry about an alarm that ended."""
        return cls(code=alarm.code, raised_at=alarm.raised_at)


@entry("log.succeeded", subject="log", unmatched="It is about another log, whose checkpoints are in WORM storage.")
class LogSucceeded(Entry):
    """This log takes over from another one. The subject is the new log's origin."""

    left_out_when_none = frozenset({"spoiled_slots"})

    old_origin: Annotated[str, "Origin of the log before."]
    reason: Annotated[str, "Why, in the operator's words, without naming anybody."]
    checkpoint: Annotated[
        dict[str, Json] | None, "Number, size and root (base64) of its last checkpoint in WORM storage; null for none."
    ]
    spoiled_slots: Annotated[int | None, "How many slots after that checkpoint hold something else; left out if none."]


@entry("audit.reconciled", subject="reconciliation")
class Reconciled(Entry):
    """A reconciliation of database, log and WORM storage ended."""

    ok: Annotated[bool, "Whether it found no fault."]
    faults: Annotated[int, "How many faults it found."]
    report_sha256: Annotated[str, "SHA-256 of its counts and faults as canonical JSON."]
    store_as_of: Annotated[
        datetime | None, "What was put into WORM storage after this moment is not part of the result.", Since("0.3")
    ]

    @classmethod
    def of(cls, report: ReconciliationReport) -> Self:
        """Return the entry about a reconciliation."""
        return cls(
            ok=report.ok,
            faults=report.fault_count,
            report_sha256=digest([report.counts, report.faults]),
            store_as_of=report.store_as_of,
        )
