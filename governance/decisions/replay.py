"""Replay: what would a draft have answered to the decisions on record?

The work goes in batches, each its own transaction: whoever works on a replay can stop, die or be joined by another
at any point, and nothing is counted twice. The counts are of decisions, not of the evaluations inside them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Func, IntegerField, QuerySet

from governance.audit.recording.record import record
from governance.audit.types import Actor, SubjectRef
from governance.decisions.choices import FlipDirection, ReplayState
from governance.decisions.entries import (
    ReplayCancelled,
    ReplayEnded,
    ReplayEntry,
    ReplayFailed,
    ReplayFinished,
    ReplayRequested,
)
from governance.decisions.errors import ReplayConflict
from governance.decisions.models import DecisionRecord, ReplayFlip, ReplayReport
from governance.decisions.reevaluation import Reevaluation, effect_of, lacks_facts, reevaluate, why_undecided
from governance.engines.types import PolicyProgram
from governance.kernel import clock
from governance.kernel.errors import GovernanceError
from governance.rulebook.content import program_of
from governance.rulebook.lifecycle import REPLAYABLE, mark_replayed
from governance.rulebook.models import PolicyDraft
from governance.rulebook.queries import active_digest, load_program

BATCH = 200
DIMENSIONS = ("rule", "creator", "partner", "model", "action")
OPEN = (ReplayState.QUEUED, ReplayState.RUNNING)
#: The entry that each state writes in which a replay ends by itself.
ENDINGS: Mapping[ReplayState, type[ReplayEnded]] = {
    ReplayState.FINISHED: ReplayFinished,
    ReplayState.FAILED: ReplayFailed,
}


class _Share(Func):
    """A number from 0 to 99 that a row keeps for good, evenly distributed: samples are drawn by it."""

    template = "mod(('x' || substr(md5(%(expressions)s::text), 1, 7))::bit(28)::int, 100)"
    output_field = IntegerField()


@transaction.atomic
def request_replay(
    *, draft: PolicyDraft, since: datetime, until: datetime, sample_percent: int, actor: Actor
) -> ReplayReport:
    """Store a replay that waits to be worked on, over decisions from `since` until just before `until`.

    Raises ReplayConflict when the draft cannot be replayed now or a replay of it is under way.
    """
    locked = PolicyDraft.objects.select_for_update().get(pk=draft.pk)
    if locked.state not in REPLAYABLE:
        raise ReplayConflict(f"{locked} is {locked.get_state_display().lower()}, so it is not replayed.")
    if locked.replays.filter(state__in=OPEN, draft_digest=locked.digest).exists():
        raise ReplayConflict("A replay of this draft is under way.")
    if since >= until or not 1 <= sample_percent <= 100:
        raise ReplayConflict("The window must begin before it ends, and a sample is 1 to 100 percent.")
    report = ReplayReport(
        draft=locked,
        draft_digest=locked.digest,
        base_digest=active_digest(),
        since=since,
        until=until,
        sample_percent=sample_percent,
        summary={direction: {name: {} for name in DIMENSIONS} for direction in FlipDirection.values},
        asked_by=str(actor),
        asked_at=clock.now(),
        heard_at=clock.now(),
    )
    report.total = _population(report).count()
    report.save(force_insert=True)
    _record(ReplayRequested.of(report), report, actor)
    return report


@transaction.atomic
def cancel_replay(*, report: ReplayReport, actor: Actor) -> ReplayReport:
    """Stop a replay before its next batch. Raises ReplayConflict when it has ended."""
    locked = ReplayReport.objects.select_for_update().get(pk=report.pk)
    if locked.state not in OPEN:
        raise ReplayConflict("This replay has ended.")
    locked.state, locked.cancel_asked, locked.finished_at = ReplayState.CANCELLED, True, clock.now()
    locked.save()
    _record(ReplayCancelled.of(locked), locked, actor)
    return locked


@transaction.atomic
def work_batch(*, report_id: UUID, actor: Actor) -> bool:
    """Replay the next batch and return whether more is left. Waits while another worker works on this replay."""
    report = ReplayReport.objects.select_for_update(of=("self",)).select_related("draft").get(pk=report_id)
    if report.state not in OPEN:
        return False
    if report.draft.digest != report.draft_digest:
        _end(report, ReplayState.FAILED, actor, problem="The draft changed while it was replayed.")
        return False
    report.state, report.heard_at = ReplayState.RUNNING, clock.now()
    batch = list(_population(report).order_by("id")[:BATCH])
    if not batch:
        _end(report, ReplayState.FINISHED, actor)
        return False
    try:
        _replay(report, batch)
    except GovernanceError as error:
        _end(report, ReplayState.FAILED, actor, problem=error.message[:300])
        return False
    report.cursor, report.done = batch[-1].pk, report.done + len(batch)
    report.save()
    return True


def stalled_replays(*, before: datetime) -> list[UUID]:
    """Return the replays without progress since `before`: their worker died or the message was lost."""
    return list(ReplayReport.objects.filter(state__in=OPEN, heard_at__lt=before).values_list("id", flat=True))


def _population(report: ReplayReport) -> QuerySet[DecisionRecord]:
    decisions = DecisionRecord.objects.filter(decided_at__gte=report.since, decided_at__lt=report.until)
    if report.sample_percent < 100:
        decisions = decisions.annotate(share=_Share(F("id"))).filter(share__lt=report.sample_percent)
    return decisions.filter(id__gt=report.cursor) if report.cursor else decisions


def _replay(report: ReplayReport, batch: Sequence[DecisionRecord]) -> None:
    program = program_of(text=report.draft.content, digest=report.draft_digest)
    decided = [each for each in batch if not why_undecided(each) and not lacks_facts(each)]
    report.skipped += len(batch) - len(decided)
    answers = reevaluate(decisions=decided, program=program)
    flipped = [
        (decision, answer)
        for decision, answer in zip(decided, answers, strict=True)
        if effect_of(answer) != decision.effect
    ]
    today = _today(report.base_digest, [decision for decision, _ in flipped])
    flips = [
        _flip(report, decision, answer, by_draft=effect == decision.effect)
        for (decision, answer), effect in zip(flipped, today, strict=True)
    ]
    ReplayFlip.objects.bulk_create(flips)
    _count(report, flips)


def _today(base: str, decisions: Sequence[DecisionRecord]) -> list[str]:
    """Return the effects under the active revision: a flip that it makes as well is not caused by the draft."""
    if not base:
        return [decision.effect for decision in decisions]
    program: PolicyProgram = load_program(base)
    return [str(effect_of(answers)) for answers in reevaluate(decisions=decisions, program=program)]


def _flip(
    report: ReplayReport, decision: DecisionRecord, answers: Sequence[Reevaluation], *, by_draft: bool
) -> ReplayFlip:
    changed = [each for each in answers if each.flipped]
    denied = decision.effect == "permit"
    return ReplayFlip(
        report=report,
        decision=decision,
        direction=FlipDirection.TO_DENY if denied else FlipDirection.TO_PERMIT,
        by_draft=by_draft,
        partner=decision.partner,
        rules=sorted({rule for each in changed for rule in _rules(each)}),
        creators=_facts(changed, "asset", "creator"),
        model_slugs=_facts(changed, "model", "slug"),
        actions=sorted({each.recorded["action"] for each in changed}),
    )


def _rules(again: Reevaluation) -> set[str]:
    """Return the rules that make the difference: denials that came or went, else permits that did."""
    then, result = again.recorded["matched_rules"], again.result
    denies = set(then["deny"]) ^ set(result.matched_denies)
    return denies or set(then["permit"]) ^ set(result.matched_permits)


def _facts(answers: Iterable[Reevaluation], group: str, name: str) -> list[str]:
    groups = (each.recorded["facts"].get(group) for each in answers)
    found = (facts.get(name) for facts in groups if isinstance(facts, dict))
    return sorted({value for value in found if isinstance(value, str)})


def _count(report: ReplayReport, flips: Iterable[ReplayFlip]) -> None:
    for flip in flips:
        if flip.direction == FlipDirection.TO_DENY:
            report.to_deny += 1
        else:
            report.to_permit += 1
        values: Mapping[str, Iterable[str]] = {
            "rule": flip.rules,
            "creator": flip.creators,
            "partner": [flip.partner],
            "model": flip.model_slugs,
            "action": flip.actions,
        }
        counts: dict[str, dict[str, int]] = report.summary[flip.direction]
        for name, found in values.items():
            counts[name] = dict(Counter(counts[name]) + Counter(found))


def _end(report: ReplayReport, state: ReplayState, actor: Actor, *, problem: str = "") -> None:
    report.state, report.problem, report.finished_at = state, problem, clock.now()
    report.save()
    if state == ReplayState.FINISHED:
        mark_replayed(
            draft=report.draft,
            replay_id=report.pk,
            digest=report.draft_digest,
            base=report.base_digest,
            at=report.finished_at,
            actor=actor,
        )
    _record(ENDINGS[state].of(report), report, actor)


def _record(entry: ReplayEntry, report: ReplayReport, actor: Actor) -> None:
    record(entry, subject=SubjectRef("replay", str(report.pk)), actor=actor)
