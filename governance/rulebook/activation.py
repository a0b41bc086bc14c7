"""Which revision is active: activation of an approved draft, rollback, and the shortcut for development."""

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from governance.audit.evidence.receipts import record_with_receipt
from governance.audit.recording.record import record
from governance.audit.types import Actor, SubjectRef
from governance.engines.ports import policy_engine
from governance.kernel import clock
from governance.rulebook.archive import anchor_revision
from governance.rulebook.authorship import authors_of
from governance.rulebook.choices import ActivationKind, DraftState
from governance.rulebook.content import RevisionContent, refuse_custom
from governance.rulebook.entries import (
    DraftActivated,
    DraftRestored,
    DraftStep,
    DraftSuperseded,
    RevisionActivated,
    RevisionPublished,
)
from governance.rulebook.errors import (
    DraftStale,
    DraftStateConflict,
    NoActiveRevision,
    OwnDraft,
    ReviewRequired,
    RollbackImpossible,
    RollbackNeedsTwo,
)
from governance.rulebook.locks import lock_policy
from governance.rulebook.models import DraftEvent, PolicyActivation, PolicyDraft, PolicyRevision, RuleEdit
from governance.rulebook.queries import active_digest, active_revision, verified_program
from governance.rulebook.receipts import activation_statement
from governance.rulebook.services import current_content
from governance.rulebook.signing import sign_revision


@transaction.atomic
def activate_draft(*, draft: PolicyDraft, actor: Actor) -> PolicyRevision:
    """Make an approved draft the active policy, in one step, and return its revision.

    Raises DraftStateConflict when it is not approved, DraftStale when another revision became active since it was
    taken, OwnDraft when an author approved it under the rules of an older version, ProgramRejected, RevisionCorrupt,
    KeyUnavailable, and what the WORM store raises: what cannot be kept for later proof does not decide.
    """
    lock_policy()
    locked = PolicyDraft.objects.select_for_update().get(pk=draft.pk)
    if locked.state != DraftState.APPROVED:
        raise DraftStateConflict(
            f"{locked} is {locked.get_state_display().lower()}; only an approved draft is activated."
        )
    if locked.base_digest != active_digest():
        raise DraftStale("Another revision became active since this draft was taken. Take the rules again.")
    if locked.approved_by in all_authors(locked):
        raise OwnDraft("Who approved this draft wrote or edited a part of it. Take the rules again.")
    content = RevisionContent(locked.content, locked.digest, locked.rule_count)
    revision = _revision(content, actor=actor, note=locked.note or locked.title, last_edit=locked.last_edit)
    _activate(revision, kind=ActivationKind.REVIEWED, actor=actor, reason=f"Draft {locked.number}")
    locked.state, locked.revision, locked.updated_at = DraftState.ACTIVE, revision, clock.now()
    locked.save(update_fields=["state", "revision", "updated_at"])
    add_event(locked, DraftActivated, actor=actor)
    return revision


@transaction.atomic
def roll_back(
    *, actor: Actor, reason: str, to: PolicyRevision | None = None, instead_of: PolicyRevision | None = None
) -> PolicyRevision:
    """Make the revision active again that was in force immediately before, in one step, and return it.

    It was approved when it first decided, so one person is enough. `to` must be that revision, and `instead_of` the one
    that decides now: what the person saw. Raises RollbackNeedsTwo for any other revision that ever decided (see
    `propose_rollback`), RollbackImpossible, DraftStateConflict when another revision decides than the person saw,
    RevisionCorrupt, ProgramRejected and what the WORM store raises.
    """
    lock_policy()
    active, before = active_revision(), previous_revision()
    if instead_of is not None and instead_of != active:
        raise DraftStateConflict("Another revision became active since you looked. Look again.")
    target = to if to is not None else before
    if target is None:
        raise RollbackImpossible("There is no earlier revision to go back to.")
    if target == active or not target.activations.exists():
        raise RollbackImpossible(f"{target} decides now, or never did.")
    if target != before:
        raise RollbackNeedsTwo(
            f"One person may go back to {before} only. Propose {target} as a draft, for somebody else to approve."
        )
    _activate(target, kind=ActivationKind.ROLLBACK, actor=actor, reason=reason)
    earlier = target.drafts.filter(state=DraftState.SUPERSEDED).order_by("-number").first()
    if earlier is not None:
        earlier.state, earlier.updated_at = DraftState.ACTIVE, clock.now()
        earlier.save(update_fields=["state", "updated_at"])
        add_event(earlier, DraftRestored, actor=actor, comment=reason)
    return target


def previous_revision() -> PolicyRevision | None:
    """Return what was in force immediately before the newest activation, if anything.

    After a rollback that is the revision that was left, so one person can go back and forth between the two, and no
    further.
    """
    newest = PolicyActivation.objects.select_related("replaced").order_by("-id").first()
    return newest.replaced if newest is not None else None


@transaction.atomic
def publish_without_review(*, actor: Actor, note: str = "") -> PolicyRevision:
    """Make the present rules the active policy without approval, and return the revision.

    For development, tests and demos: settings without ASSENT_ALLOW_UNREVIEWED_POLICY refuse it (ReviewRequired). The
    same rules are the same revision: it is activated again, or left as it is when it is active already. Raises
    RuleInvalid when a rule no longer fits the schema, ProgramRejected when the engine refuses the program,
    KeyUnavailable when it cannot be signed, RevisionCorrupt when the stored revision is not what was signed.
    """
    if not settings.ASSENT_ALLOW_UNREVIEWED_POLICY:
        raise ReviewRequired("Policy goes into force through a draft that a second person approved.")
    lock_policy()
    content = current_content()
    if content.digest == active_digest():
        revision = active_revision()
        if revision is None:
            raise NoActiveRevision("The active revision is gone.")
        verified_program(revision)
        return revision
    revision = _revision(content, actor=actor, note=note, last_edit=newest_edit())
    _activate(revision, kind=ActivationKind.UNREVIEWED, actor=actor, reason=note)
    return revision


def all_authors(draft: PolicyDraft) -> list[str]:
    """Return who wrote any of a draft: those it names, and everybody who edited its rules since they were in force.

    What a draft puts back was in force, so only those it names wrote that. Raises RevisionCorrupt.
    """
    if draft.restores is not None:
        return sorted(draft.authors)
    found = authors_of(text=draft.content, digest=draft.digest, last_edit=draft.last_edit)
    return sorted({*draft.authors, *found})


def newest_edit() -> int:
    """Return the number of the newest edit of a rule."""
    return RuleEdit.objects.aggregate(newest=Max("id"))["newest"] or 0


def add_event(draft: PolicyDraft, step: type[DraftStep], *, actor: Actor, comment: str = "") -> None:
    """Record one step of a draft; comments that people wrote stay out of the ledger."""
    DraftEvent.objects.create(
        draft=draft,
        step=step.step(),
        state=draft.state,
        digest=draft.digest,
        person=str(actor),
        comment=comment,
        happened_at=clock.now(),
    )
    entry = step(number=draft.number, digest=draft.digest, state=draft.state, base=draft.base_digest)
    record(entry, subject=SubjectRef("draft", str(draft.pk)), actor=actor)


def _revision(content: RevisionContent, *, actor: Actor, note: str, last_edit: int) -> PolicyRevision:
    known = PolicyRevision.objects.filter(digest=content.digest).first()
    if known is not None:
        return known
    newest = PolicyRevision.objects.aggregate(newest=Max("number"))["newest"] or 0
    revision = PolicyRevision.objects.create(
        number=newest + 1,
        digest=content.digest,
        content=content.text,
        signature=sign_revision(content.digest).to_json(),
        rule_count=content.rule_count,
        note=note,
        last_edit=last_edit,
        created_by=str(actor),
        created_at=clock.now(),
    )
    record(RevisionPublished.of(revision), subject=_subject(revision), actor=actor)
    return revision


def _activate(revision: PolicyRevision, *, kind: ActivationKind, actor: Actor, reason: str) -> None:
    program = verified_program(revision)
    refuse_custom(text=revision.content, digest=revision.digest)
    policy_engine.get().check(program=program)
    anchor_revision(revision=revision, actor=actor)
    replaced = active_revision()
    for draft in PolicyDraft.objects.select_for_update().filter(state=DraftState.ACTIVE):
        draft.state, draft.updated_at = DraftState.SUPERSEDED, clock.now()
        draft.save(update_fields=["state", "updated_at"])
        add_event(draft, DraftSuperseded, actor=actor)
    PolicyActivation.objects.create(
        revision=revision,
        kind=kind,
        replaced=replaced,
        reason=reason[:300],
        activated_by=str(actor),
        activated_at=clock.now(),
    )
    entry = RevisionActivated(
        number=revision.number,
        digest=revision.digest,
        rules=revision.rule_count,
        kind=kind,
        replaced=replaced.digest if replaced else "",
    )
    record_with_receipt(
        entry, subject=_subject(revision), actor=actor, **activation_statement(revision, entry.to_data())
    )


def _subject(revision: PolicyRevision) -> SubjectRef:
    return SubjectRef("revision", revision.digest)
