"""Putting revisions into force and back, and where those that were in force are kept."""

from typing import Any

import pytest

from governance.audit.ports import worm_store
from governance.engines.types import Effect
from governance.kernel.errors import Unavailable
from governance.rulebook.activation import activate_draft, previous_revision, publish_without_review, roll_back
from governance.rulebook.archive import archived_program
from governance.rulebook.choices import DraftState
from governance.rulebook.errors import (
    DraftStateConflict,
    NothingToPropose,
    OwnDraft,
    ReviewRequired,
    RevisionCorrupt,
    RollbackImpossible,
    RollbackNeedsTwo,
)
from governance.rulebook.lifecycle import (
    approve_draft,
    check_draft,
    propose_rollback,
    refresh_draft,
    submit_draft,
)
from governance.rulebook.models import (
    PolicyActivation,
    PolicyDraft,
    PolicyRevision,
    RevisionAnchor,
)
from governance.rulebook.queries import active_revision, load_program
from tests.factories.drafts import (
    APPROVER,
    AUTHOR,
    SECOND_APPROVER,
    SEED,
    approved,
    ask,
    replay,
    with_a_new_rule,
)
from tests.factories.rulebook import AbacRuleFactory

pytestmark = pytest.mark.django_db


def test_a_newer_draft_supersedes_and_a_rollback_restores() -> None:
    publish_without_review(actor=SEED)
    AbacRuleFactory(slug="one")
    first_draft = approved("One")
    first = activate_draft(draft=first_draft, actor=APPROVER)
    AbacRuleFactory(slug="two", condition={"attr": "subject.region", "op": "eq", "value": "US"})
    second_draft = approved("Two")
    second = activate_draft(draft=second_draft, actor=APPROVER)
    assert ask(subject__region="US") is Effect.DENY
    assert previous_revision() == first

    assert roll_back(actor=SECOND_APPROVER, reason="Too much was denied.") == first

    assert ask(subject__region="US") is Effect.PERMIT
    assert [PolicyDraft.objects.get(title=title).state for title in ("One", "Two")] == ["active", "superseded"]
    newest = PolicyActivation.objects.latest("id")
    assert (newest.kind, newest.replaced, newest.reason) == ("rollback", second, "Too much was denied.")
    with pytest.raises(RollbackNeedsTwo):
        roll_back(actor=SECOND_APPROVER, reason="Further.", to=PolicyRevision.objects.get(number=1))


def three_revisions() -> list[PolicyRevision]:
    """Return three revisions, the last of which decides; the second and third came by a second person."""
    revisions = [publish_without_review(actor=SEED)]
    for region in ("US", "CA"):
        AbacRuleFactory(slug=region.lower(), condition={"attr": "subject.region", "op": "eq", "value": region})
        revisions.append(activate_draft(draft=approved(region), actor=APPROVER))
    return revisions


def test_one_person_goes_back_and_forth_between_two_revisions_and_no_further() -> None:
    first, second, third = three_revisions()

    visited = [roll_back(actor=AUTHOR, reason="To and fro.") for _ in range(4)]

    assert visited == [second, third, second, third]
    with pytest.raises(RollbackNeedsTwo):
        roll_back(actor=AUTHOR, reason="Far.", to=first)
    with pytest.raises(DraftStateConflict, match="since you looked"):
        roll_back(actor=AUTHOR, reason="What I saw is gone.", to=second, instead_of=second)


def test_any_other_revision_comes_back_by_two_people() -> None:
    first, _, third = three_revisions()
    draft = check_draft(draft=propose_rollback(to=first, reason="Both were wrong.", actor=AUTHOR), actor=AUTHOR)
    assert (draft.authors, draft.restores, draft.state) == ([str(AUTHOR)], first, DraftState.CHECKED)
    replay(draft)
    draft.refresh_from_db()
    submit_draft(draft=draft, actor=AUTHOR)
    with pytest.raises(OwnDraft):
        approve_draft(draft=draft, digest=draft.digest, actor=AUTHOR, comment="Mine.")
    approve_draft(draft=draft, digest=draft.digest, actor=APPROVER, comment="Yes.")

    assert activate_draft(draft=draft, actor=AUTHOR) == first

    assert (active_revision(), previous_revision()) == (first, third)
    assert PolicyActivation.objects.latest("id").kind == "reviewed"
    with pytest.raises(RollbackImpossible):
        propose_rollback(to=first, reason="It decides.", actor=AUTHOR)


def test_a_proposed_rollback_starts_anew_from_what_is_active() -> None:
    first, second, _ = three_revisions()
    draft = propose_rollback(to=first, reason="Both were wrong.", actor=AUTHOR)
    roll_back(actor=SECOND_APPROVER, reason="Meanwhile.", to=second)

    again = refresh_draft(draft=draft, actor=SECOND_APPROVER)

    assert (again.digest, again.base_digest) == (first.digest, second.digest)
    assert again.authors == sorted([str(AUTHOR), str(SECOND_APPROVER)])
    with pytest.raises(NothingToPropose):
        propose_rollback(to=first, reason="Twice.", actor=AUTHOR)


def test_a_revision_that_was_never_active_cannot_be_rolled_back_to() -> None:
    with pytest.raises(RollbackImpossible):
        roll_back(actor=APPROVER, reason="Nothing there.")
    revision = publish_without_review(actor=SEED)
    with pytest.raises(RollbackImpossible):
        roll_back(actor=APPROVER, reason="It decides.", to=revision)


def test_production_needs_a_review(settings: Any) -> None:
    settings.ASSENT_ALLOW_UNREVIEWED_POLICY = False
    with pytest.raises(ReviewRequired):
        publish_without_review(actor=SEED)
    with_a_new_rule()
    assert activate_draft(draft=approved(), actor=APPROVER).number == 1


def test_what_is_active_lies_in_worm_storage_and_is_read_from_there() -> None:
    revision = publish_without_review(actor=SEED)
    anchor = RevisionAnchor.objects.get(revision=revision)
    assert worm_store.get().verify(uri=anchor.uri, version_id=anchor.version_id).sha256 == anchor.sha256
    assert archived_program(revision.digest).modules == load_program(revision.digest).modules


def test_an_archived_revision_with_another_content_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    revision = publish_without_review(actor=SEED)
    store = worm_store.get()
    monkeypatch.setattr(store, "get", lambda **place: b"{}")
    with pytest.raises(RevisionCorrupt):
        archived_program(revision.digest)


def test_a_revision_that_cannot_be_archived_is_not_activated(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**options: Any) -> None:
        raise Unavailable("The store is full.")

    with_a_new_rule()
    draft = approved()
    monkeypatch.setattr(worm_store.get(), "put", full)
    with pytest.raises(Unavailable):
        activate_draft(draft=draft, actor=APPROVER)
    draft.refresh_from_db()
    assert (draft.state, active_revision()) == (DraftState.APPROVED, None)
