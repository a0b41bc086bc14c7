"""Everything about one job for its page, in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from governance.audit.entries import EvidenceAnchored, EvidenceIssued
from governance.audit.models import EvidenceRecord, LedgerEntry, OutboxEntry
from governance.audit.recording.declarations import Entry, declarations, kinds_of
from governance.console.evaluations import EvaluationView, consent_views, evaluation_views, licence_facts
from governance.console.presentation import TONES, Tone
from governance.console.types import Context
from governance.decisions.entries import DecisionRecorded, PermitIssued, PermitRedeemed, PermitRefused
from governance.decisions.models import DecisionRecord
from governance.jobs.choices import JobState
from governance.jobs.entries import JobCancelRequestAccepted, JobMoved
from governance.jobs.models import Job, JobEvent
from governance.jobs.services import MOVES
from governance.jobs.states import ENDED
from governance.moderation.entries import ModerationRecorded
from governance.moderation.queries import verdicts_for_job
from governance.partners.types import Coverage
from governance.rulebook.models import PolicyRevision

WAY = (
    (JobState.QUEUED, "Admitted"),
    (JobState.LEASED, "Taken up"),
    (JobState.RUNNING, "Running"),
    (JobState.MODERATING, "Moderation"),
    (JobState.RELEASING, "Release decided"),
    (JobState.SEALING, "Evidence sealed"),
    (JobState.RELEASED, "Released"),
)
TITLES: Mapping[type[Entry], str] = {
    JobCancelRequestAccepted: "Cancellation requested",
    DecisionRecorded: "Decision recorded",
    PermitIssued: "Permit issued",
    PermitRefused: "Permit refused",
    PermitRedeemed: "Permit used by the model runtime",
    ModerationRecorded: "Moderation verdict recorded",
    EvidenceIssued: "Evidence signed",
    EvidenceAnchored: "Evidence written to WORM storage",
}
LEDGER_TONES: Mapping[type[Entry], Tone] = {
    PermitRefused: Tone.BAD,
    JobCancelRequestAccepted: Tone.WARN,
    EvidenceAnchored: Tone.GOOD,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of a job; `at` is None until it is reached."""

    name: str
    at: datetime | None
    tone: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline. `index` is the place in the ledger, None while it waits or has none."""

    at: datetime
    title: str
    detail: str
    tone: str
    index: int | None


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A decision about the job with its evaluations and the revision that it was made by."""

    record: DecisionRecord
    evaluations: list[EvaluationView]
    revision: PolicyRevision | None


def job_story(job: Job) -> Context:
    """Return the context of a job's page."""
    decisions = list(DecisionRecord.objects.filter(job_id=job.pk).select_related("permit").order_by("decided_at", "id"))
    digests = {each.revision_digest for each in decisions}
    revisions = {each.digest: each for each in PolicyRevision.objects.filter(digest__in=digests).defer("content")}
    evidence = (
        EvidenceRecord.objects.filter(subject_type="job", subject_id=str(job.pk))
        .select_related("worm_reference")
        .first()
    )
    events = list(job.events.order_by("id"))
    latest = decisions[-1] if decisions else None
    return {
        "steps": steps(job, events),
        "inputs": list(job.inputs.select_related("asset__creator").order_by("id")),
        "output": getattr(job, "output", None),
        "candidate": getattr(job, "candidate", None),
        "decisions": [
            DecisionView(each, evaluation_views(each), revisions.get(each.revision_digest)) for each in decisions
        ],
        "permits": [each.permit for each in decisions if hasattr(each, "permit")],
        "consents": consent_views(latest) if latest else [],
        "licence": licence_facts(latest) if latest else None,
        "consent_decision": latest,
        "verdicts": verdicts_for_job(job.pk),
        "evidence": evidence,
        "worm": getattr(evidence, "worm_reference", None),
        "timeline": _timeline(job, events, decisions, evidence),
        "coverage": Coverage.from_details(job.token_grant),
    }


def steps(job: Job, events: Iterable[JobEvent]) -> list[Step]:
    """Return how far a job has come. A job that ended early shows its end instead of the remaining stages."""
    reached: dict[str, datetime] = {}
    for event in events:
        reached[event.to_state] = event.at
    way = [Step(name, reached.get(state), Tone.GOOD) for state, name in WAY]
    if job.state in ENDED and job.state != JobState.RELEASED:
        ending = Step(job.get_state_display(), job.finished_at, TONES[job.state])
        return [*(step for step in way if step.at is not None), ending]
    order = [state for state, _ in WAY]
    here = order.index(JobState(job.state))
    return [_placed(step, index, here, job.state == JobState.RELEASED) for index, step in enumerate(way)]


def _placed(step: Step, index: int, here: int, done: bool) -> Step:
    """A job can be sent back: stages that are ahead of it again are not shown as reached."""
    if index > here:
        return Step(step.name, None, Tone.QUIET)
    return Step(step.name, step.at, Tone.BUSY if index == here and not done else Tone.GOOD)


def _timeline(
    job: Job, events: list[JobEvent], decisions: list[DecisionRecord], evidence: EvidenceRecord | None
) -> list[Line]:
    about = {"job": {str(job.pk)}, "decision": {str(each.pk) for each in decisions}}
    about["permit"] = {str(each.permit.pk) for each in decisions if hasattr(each, "permit")}
    about["evidence"] = {str(evidence.pk)} if evidence else set()
    entries = _entries(about)
    by_id = {str(each.pk): each for each in decisions}
    moves = defaultdict(list)
    lines = []
    for entry in entries:
        if entry.kind in kinds_of(JobMoved):
            moves[entry.kind].append(entry)
        else:
            lines.append(_ledger_line(entry, by_id))
    lines += [_event_line(event, moves) for event in events]
    return sorted(lines, key=lambda line: (line.at, line.index is None, line.index or 0))


def _entries(about: Mapping[str, set[str]]) -> list[LedgerEntry | OutboxEntry]:
    wanted = Q()
    for subject_type, ids in about.items():
        if ids:
            wanted |= Q(subject_type=subject_type, subject_id__in=ids)
    waiting = list(OutboxEntry.objects.filter(wanted).order_by("id"))
    ordered = list(LedgerEntry.objects.filter(wanted).order_by("index"))
    placed = {entry.entry_id for entry in ordered}
    return [*ordered, *(entry for entry in waiting if entry.entry_id not in placed)]


def _ledger_line(entry: LedgerEntry | OutboxEntry, decisions: Mapping[str, DecisionRecord]) -> Line:
    declared = declarations().get(entry.kind, Entry)
    title, tone = TITLES.get(declared, entry.kind), LEDGER_TONES.get(declared, Tone.QUIET)
    decision = decisions.get(entry.subject_id)
    if decision is not None:
        title = f"{decision.get_kind_display()} decided: {decision.get_effect_display().lower()}"
        tone = TONES[decision.effect]
    return Line(entry.occurred_at, title, f"by {entry.actor_type} {entry.actor_id}", tone, _index(entry))


def _event_line(event: JobEvent, moves: Mapping[str, list[LedgerEntry | OutboxEntry]]) -> Line:
    label = JobState(event.to_state).label
    title = f"{JobState(event.from_state).label} → {label}" if event.from_state else f"Submitted → {label}"
    parts = [f"by {event.actor_type} {event.actor_id}"]
    if event.fencing_token:
        parts.append(f"lease #{event.fencing_token}")
    if event.reason_code:
        parts.append(event.reason_code)
    kind = MOVES[JobState(event.to_state)].declaration.kind
    entry = next(iter(moves.get(kind, [])), None)
    if entry is not None:
        moves[kind].remove(entry)
    return Line(event.at, title, ", ".join(parts), TONES[event.to_state], _index(entry))


def _index(entry: LedgerEntry | OutboxEntry | None) -> int | None:
    return entry.index if isinstance(entry, LedgerEntry) else None
