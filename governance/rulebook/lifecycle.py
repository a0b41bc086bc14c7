"""The life cycle of a draft: made from the rules, checked, replayed, and approved by somebody who wrote none of it."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from governance.audit.types import Actor
from governance.kernel import clock
from governance.rulebook.activation import add_event, all_authors, newest_edit
from governance.rulebook.choices import DraftState
from governance.rulebook.content import RevisionContent
from governance.rulebook.draft_checks import check_draft_content
from governance.rulebook.entries import (
    DraftApproved,
    DraftChecked,
    DraftCheckFailed,
    DraftOpened,
    DraftRefreshed,
    DraftRejected,
    DraftReplayed,
    DraftSubmitted,
)
from governance.rulebook.errors import (
    DraftStale,
    DraftStateConflict,
    NothingToPropose,
    OwnDraft,
    ReplayNeeded,
    RollbackImpossible,
)
from governance.rulebook.locks import lock_policy
from governance.rulebook.models import PolicyDraft, PolicyRevision
from governance.rulebook.queries import active_digest, active_revision
from governance.rulebook.services import content_of, current_content

OPEN = (DraftState.DRAFT, DraftState.CHECKED, DraftState.REPLAYED, DraftState.IN_REVIEW, DraftState.APPROVED)
REPLAYABLE = (DraftState.CHECKED, DraftState.REPLAYED, DraftState.IN_REVIEW)


@transaction.atomic
def open_draft(*, title: str, note: str = "", actor: Actor) -> PolicyDraft:
    """Make a draft of the present rules and return it.

    Its authors are `actor` and everybody who edited a rule in which it differs from the active revision. Raises
    NothingToPropose, and RuleInvalid when a rule no longer fits the schema.
    """
    lock_policy()
    return _opened(PolicyDraft(title=title, note=note), current_content(), actor)


@transaction.atomic
def propose_rollback(*, to: PolicyRevision, reason: str, actor: Actor) -> PolicyDraft:
    """Open a draft that puts an earlier revision back into force, as it was, and return it.

    It goes the way of every draft: checked, replayed to show what it changes, and approved by somebody else. Raises
    RollbackImpossible when `to` decides now or never did, RevisionCorrupt, and NothingToPropose for a second draft.
    """
    lock_policy()
    if to == active_revision() or not to.activations.exists():
        raise RollbackImpossible(f"{to} decides now, or never did.")
    draft = PolicyDraft(title=f"Back to revision {to.number}", note=reason, restores=to)
    return _opened(draft, content_of(to), actor)


@transaction.atomic
def refresh_draft(*, draft: PolicyDraft, actor: Actor) -> PolicyDraft:
    """Replace the content of an open or rejected draft by the present rules. Earlier steps, even approval, are void.

    A draft that puts an earlier revision back keeps its content, and starts from what is active now.

    Raises DraftStateConflict, NothingToPropose, RuleInvalid.
    """
    lock_policy()
    locked = _locked(draft, (*OPEN, DraftState.REJECTED))
    content = content_of(locked.restores) if locked.restores else current_content()
    if content.digest == active_digest():
        raise NothingToPropose("The active revision holds the rules exactly as they are now.")
    _take(locked, content, actor)
    locked.save()
    add_event(locked, DraftRefreshed, actor=actor)
    return locked


@transaction.atomic
def check_draft(*, draft: PolicyDraft, actor: Actor) -> PolicyDraft:
    """Lint, compile and test the draft on every engine that runs here, and store the report with it.

    A draft without problems is checked; one with problems stays a draft. Raises DraftStateConflict.
    """
    locked = _locked(draft, (DraftState.DRAFT, DraftState.CHECKED))
    report = check_draft_content(text=locked.content, digest=locked.digest, restores=locked.restores is not None)
    locked.check_report = report
    locked.state = DraftState.DRAFT if report["problems"] else DraftState.CHECKED
    _save(locked)
    add_event(locked, DraftCheckFailed if report["problems"] else DraftChecked, actor=actor)
    return locked


@transaction.atomic
def mark_replayed(*, draft: PolicyDraft, replay_id: UUID, digest: str, base: str, at: datetime, actor: Actor) -> bool:
    """Note a finished replay of exactly `digest` with `base` active; return False when the draft has changed since."""
    locked = PolicyDraft.objects.select_for_update().get(pk=draft.pk)
    if locked.digest != digest or locked.base_digest != base or locked.state not in REPLAYABLE:
        return False
    locked.replay_id, locked.replay_digest, locked.replay_base, locked.replayed_at = replay_id, digest, base, at
    if locked.state == DraftState.CHECKED:
        locked.state = DraftState.REPLAYED
    _save(locked)
    add_event(locked, DraftReplayed, actor=actor)
    return True


@transaction.atomic
def submit_draft(*, draft: PolicyDraft, actor: Actor, comment: str = "") -> PolicyDraft:
    """Submit a replayed draft for review. Raises DraftStateConflict, DraftStale, ReplayNeeded."""
    locked = _locked(draft, (DraftState.REPLAYED,))
    _require_current(locked)
    locked.state = DraftState.IN_REVIEW
    _save(locked)
    add_event(locked, DraftSubmitted, actor=actor, comment=comment)
    return locked


@transaction.atomic
def approve_draft(*, draft: PolicyDraft, digest: str, actor: Actor, comment: str) -> PolicyDraft:
    """Approve the content with this digest. It can be activated from then on.

    Its authors are found once more, so that a draft of an older version is held to today's rule. Raises OwnDraft for
    anybody who wrote or edited any of it, DraftStateConflict when it is not in review or is no longer what the reviewer
    saw, DraftStale, and ReplayNeeded without a fresh replay.
    """
    locked = _locked(draft, (DraftState.IN_REVIEW,))
    if locked.digest != digest:
        raise DraftStateConflict("The draft changed since you looked at it. Look at it again.")
    locked.authors = all_authors(locked)
    if actor.type != "user" or str(actor) in locked.authors:
        raise OwnDraft("You wrote or edited a part of this draft, so somebody else must approve it.")
    _require_current(locked)
    locked.state, locked.approved_by, locked.approved_at = DraftState.APPROVED, str(actor), clock.now()
    _save(locked)
    add_event(locked, DraftApproved, actor=actor, comment=comment)
    return locked


@transaction.atomic
def reject_draft(*, draft: PolicyDraft, actor: Actor, comment: str) -> PolicyDraft:
    """Reject a draft that is not active. It can be refreshed later. Raises DraftStateConflict."""
    locked = _locked(draft, OPEN)
    locked.state, locked.approved_by, locked.approved_at = DraftState.REJECTED, "", None
    _save(locked)
    add_event(locked, DraftRejected, actor=actor, comment=comment)
    return locked


def replay_is_fresh(draft: PolicyDraft) -> bool:
    """Return whether exactly this content was replayed against the active revision, recently enough."""
    return (
        draft.replayed_at is not None
        and draft.replay_digest == draft.digest
        and draft.replay_base == active_digest()
        and clock.now() - draft.replayed_at <= timedelta(hours=settings.ASSENT_REPLAY_FRESH_HOURS)
    )


def _opened(draft: PolicyDraft, content: RevisionContent, actor: Actor) -> PolicyDraft:
    _refuse_nothing_new(content)
    draft.number = (PolicyDraft.objects.aggregate(newest=Max("number"))["newest"] or 0) + 1
    draft.authors, draft.created_by = [], str(actor)
    _take(draft, content, actor)
    draft.save(force_insert=True)
    add_event(draft, DraftOpened, actor=actor, comment=draft.note)
    return draft


def _take(draft: PolicyDraft, content: RevisionContent, actor: Actor) -> None:
    draft.content, draft.digest, draft.rule_count = content.text, content.digest, content.rule_count
    draft.base_digest = active_digest()
    draft.last_edit = draft.restores.last_edit if draft.restores else newest_edit()
    draft.authors = sorted({*all_authors(draft), str(actor)})
    draft.state, draft.check_report = DraftState.DRAFT, {}
    draft.replay_id, draft.replay_digest, draft.replay_base, draft.replayed_at = None, "", "", None
    draft.approved_by, draft.approved_at, draft.updated_at = "", None, clock.now()


def _refuse_nothing_new(content: RevisionContent) -> None:
    if content.digest == active_digest():
        raise NothingToPropose("The active revision holds the rules exactly as they are now.")
    twin = PolicyDraft.objects.filter(digest=content.digest, state__in=OPEN).first()
    if twin is not None:
        raise NothingToPropose(f"{twin} proposes exactly these rules already.")


def _require_current(draft: PolicyDraft) -> None:
    if draft.base_digest != active_digest():
        raise DraftStale("Another revision became active since this draft was taken. Take the rules again.")
    if not replay_is_fresh(draft):
        raise ReplayNeeded("A fresh replay of this draft against recorded decisions is needed first.")


def _locked(draft: PolicyDraft, states: tuple[DraftState, ...]) -> PolicyDraft:
    locked = PolicyDraft.objects.select_for_update().get(pk=draft.pk)
    if locked.state not in states:
        raise DraftStateConflict(f"{locked} is {locked.get_state_display().lower()}, so this cannot be done now.")
    return locked


def _save(draft: PolicyDraft) -> None:
    draft.updated_at = clock.now()
    draft.save()
