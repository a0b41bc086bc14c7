"""The way of a draft into force, and who may do what on it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction

from governance.audit.models import OutboxEntry
from governance.audit.types import Actor
from governance.decisions.errors import ReplayConflict
from governance.decisions.replay import request_replay
from governance.engines import obligations
from governance.engines.types import Effect
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.rulebook.activation import activate_draft, publish_without_review
from governance.rulebook.choices import DraftState
from governance.rulebook.errors import (
    DraftStale,
    DraftStateConflict,
    NothingToPropose,
    OwnDraft,
    ReplayNeeded,
    RuleInvalid,
)
from governance.rulebook.lifecycle import (
    approve_draft,
    check_draft,
    open_draft,
    refresh_draft,
    reject_draft,
    submit_draft,
)
from governance.rulebook.models import (
    AbacRule,
    DraftEvent,
    PolicyActivation,
    PolicyDraft,
)
from governance.rulebook.queries import active_revision
from governance.rulebook.services import create_rule
from tests.factories.drafts import (
    APPROVER,
    AUTHOR,
    SECOND_APPROVER,
    SEED,
    approved,
    ask,
    in_review,
    proposed,
    replay,
    replayed,
    with_a_new_rule,
)
from tests.factories.rulebook import AbacRuleFactory, rule
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db


def kinds() -> list[str]:
    return list(OutboxEntry.objects.order_by("id").values_list("kind", flat=True))


def test_a_draft_from_the_rules_to_activation() -> None:
    publish_without_review(actor=SEED)
    with_a_new_rule()
    draft = approved()
    assert ask(subject__region="FR") is Effect.PERMIT

    revision = activate_draft(draft=draft, actor=APPROVER)

    draft.refresh_from_db()
    assert ask(subject__region="FR") is Effect.DENY
    assert (draft.state, draft.revision, active_revision()) == (DraftState.ACTIVE, revision, revision)
    assert revision.digest == draft.digest
    steps = ["opened", "checked", "replayed", "submitted", "approved", "activated"]
    assert [event.step for event in draft.events.all()] == steps
    assert [kind for kind in kinds() if kind.startswith("draft.")] == [f"draft.{step}" for step in steps]
    assert draft.events.get(step="approved").comment == "Good."
    assert kinds()[-4:] == ["revision.published", "revision.anchored", "revision.activated", "draft.activated"]


def test_the_comment_does_not_enter_the_ledger() -> None:
    with_a_new_rule()
    approved()
    assert not [entry for entry in OutboxEntry.objects.all() if b"Good." in bytes(entry.body)]


def test_an_author_does_not_approve() -> None:
    with_a_new_rule()
    draft = in_review()

    with pytest.raises(OwnDraft):
        approve_draft(draft=draft, digest=draft.digest, actor=AUTHOR, comment="Mine.")

    draft.refresh_from_db()
    assert (draft.state, draft.approved_by) == (DraftState.IN_REVIEW, "")


def test_a_rule_with_an_obligation_that_no_worker_knows_is_named_by_the_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    with_a_new_rule()
    draft = open_draft(title="Old rules", actor=AUTHOR)
    known = {kind: each for kind, each in obligations.OBLIGATIONS.items() if kind != "embed_provenance"}
    monkeypatch.setattr(obligations, "OBLIGATIONS", known)

    checked = check_draft(draft=draft, actor=AUTHOR)

    assert checked.state == DraftState.DRAFT
    [problem] = checked.check_report["problems"]
    unknown = "obligations[0].kind: 'embed_provenance' is no known obligation."
    assert problem.startswith(f"Rule 'output-releasable': {unknown}")
    AbacRuleFactory(slug="late", effect="permit", obligations=[{"kind": "embed_provenance", "parameters": {}}])
    with pytest.raises(RuleInvalid, match="'embed_provenance' is no known obligation"):
        refresh_draft(draft=draft, actor=AUTHOR)


def test_only_people_approve() -> None:
    with_a_new_rule()
    draft = in_review()
    with pytest.raises(OwnDraft):
        approve_draft(draft=draft, digest=draft.digest, actor=Actor("system", "seed"), comment="")


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"approved_by": str(AUTHOR)}, "draft_approver_is_no_author"),
        ({"state": DraftState.APPROVED}, "draft_decides_only_approved"),
        ({"state": DraftState.ACTIVE}, "draft_decides_only_approved"),
        ({"digest": "0" * 64}, "draft_replayed_as_it_is"),
    ],
)
def test_the_database_refuses_it_too(change: dict[str, str], constraint: str) -> None:
    with_a_new_rule()
    draft = in_review()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        PolicyDraft.objects.filter(pk=draft.pk).update(**change)


def test_the_database_keeps_an_author_from_being_added_over_an_approval() -> None:
    with_a_new_rule()
    draft = approved()
    with pytest.raises(IntegrityError, match="draft_approver_is_no_author"), transaction.atomic():
        PolicyDraft.objects.filter(pk=draft.pk).update(authors=[str(AUTHOR), str(APPROVER)])


@pytest.mark.parametrize("table", ["rulebook_ruleedit", "rulebook_draftevent", "rulebook_revisionanchor"])
def test_the_events_of_a_draft_cannot_be_changed(table: str) -> None:
    person = get_user_model().objects.create_user(username="editor")
    create_rule(spec=rule(), enabled=True, actor_user=person)
    activate_draft(draft=approved(), actor=APPROVER)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table}")


def test_a_step_needs_the_one_before() -> None:
    with_a_new_rule()
    draft = proposed()
    with pytest.raises(DraftStateConflict):
        submit_draft(draft=draft, actor=AUTHOR)
    with pytest.raises(DraftStateConflict):
        approve_draft(draft=draft, digest=draft.digest, actor=APPROVER, comment="")
    with pytest.raises(DraftStateConflict):
        activate_draft(draft=draft, actor=APPROVER)
    unchecked = open_draft(title="Second", actor=AUTHOR) if AbacRuleFactory(slug="another") else draft
    with pytest.raises(ReplayConflict):
        replay(unchecked)


def test_what_changed_since_the_reviewer_looked_is_not_approved() -> None:
    with_a_new_rule()
    draft = in_review()
    seen = draft.digest
    AbacRuleFactory(slug="slipped-in")
    refresh_draft(draft=draft, actor=AUTHOR)
    draft = check_draft(draft=draft, actor=AUTHOR)
    replay(draft)
    submit_draft(draft=draft, actor=AUTHOR)
    with pytest.raises(DraftStateConflict, match="changed since"):
        approve_draft(draft=draft, digest=seen, actor=APPROVER, comment="")


def test_taking_the_rules_anew_voids_the_approval() -> None:
    with_a_new_rule()
    draft = approved()
    AbacRuleFactory(slug="slipped-in")

    draft = refresh_draft(draft=draft, actor=SECOND_APPROVER)

    assert (draft.state, draft.approved_by, draft.replay_digest) == (DraftState.DRAFT, "", "")
    assert str(SECOND_APPROVER) in draft.authors
    with pytest.raises(DraftStateConflict):
        activate_draft(draft=draft, actor=APPROVER)


def test_a_draft_older_than_the_active_revision_goes_no_further() -> None:
    with_a_new_rule()
    draft, reviewed = approved(), None
    AbacRuleFactory(slug="another")
    reviewed = in_review("Another")
    publish_without_review(actor=SEED)
    with pytest.raises(DraftStale):
        activate_draft(draft=draft, actor=APPROVER)
    with pytest.raises(DraftStale):
        approve_draft(draft=reviewed, digest=reviewed.digest, actor=APPROVER, comment="")


def test_approval_needs_a_fresh_replay() -> None:
    with_a_new_rule()
    with clock.using(ManualClock(clock.now())) as hands:
        draft = in_review()
        hands.advance(seconds=25 * 3600)
        with pytest.raises(ReplayNeeded):
            approve_draft(draft=draft, digest=draft.digest, actor=APPROVER, comment="")
        replay(draft)
        done = approve_draft(draft=draft, digest=draft.digest, actor=APPROVER, comment="")
    assert done.state == DraftState.APPROVED


def test_a_replay_of_other_content_does_not_count() -> None:
    with_a_new_rule()
    draft = proposed()
    until = clock.now()
    report = request_replay(draft=draft, since=until - timedelta(days=1), until=until, sample_percent=100, actor=AUTHOR)
    AbacRuleFactory(slug="slipped-in")
    draft = check_draft(draft=refresh_draft(draft=draft, actor=AUTHOR), actor=AUTHOR)
    report.refresh_from_db()
    assert (report.draft_digest == draft.digest, draft.state) == (False, DraftState.CHECKED)


def test_a_draft_with_problems_stays_a_draft(monkeypatch: pytest.MonkeyPatch) -> None:
    with_a_new_rule()
    draft = open_draft(title="Broken", actor=AUTHOR)
    monkeypatch.setattr("governance.engines.builtins.ALLOWED", frozenset())
    draft = check_draft(draft=draft, actor=AUTHOR)
    assert draft.state == DraftState.DRAFT
    assert draft.check_report["problems"]


def test_the_report_names_the_cases_that_change() -> None:
    AbacRuleFactory(slug="nobody", condition={"attr": "subject.status", "op": "eq", "value": "active"})
    report = proposed().check_report
    outcomes = {case["outcome"] for case in report["cases"]}
    assert (report["problems"], outcomes) == ([], {"held", "changed"})


def test_nothing_new_is_not_proposed() -> None:
    publish_without_review(actor=SEED)
    with pytest.raises(NothingToPropose):
        open_draft(title="Nothing", actor=AUTHOR)
    with_a_new_rule()
    proposed()
    with pytest.raises(NothingToPropose, match="already"):
        open_draft(title="Twice", actor=AUTHOR)


def test_a_rejected_draft_can_be_taken_anew() -> None:
    with_a_new_rule()
    draft = reject_draft(draft=in_review(), actor=APPROVER, comment="Too broad.")
    assert draft.state == DraftState.REJECTED
    assert draft.events.last().comment == "Too broad."
    assert refresh_draft(draft=draft, actor=AUTHOR).state == DraftState.DRAFT


def together(*steps: Any) -> list[str]:
    """Run steps at the same moment, each on a connection of its own; return "ok" or the code of what was raised."""
    gate = Barrier(len(steps))

    def one(step: Any) -> str:
        try:
            gate.wait(PATIENCE_SECONDS)
            step()
        except (DraftStateConflict, DraftStale, OwnDraft) as error:
            return error.error_code
        finally:
            connection.close()
        return "ok"

    with ThreadPoolExecutor(max_workers=len(steps)) as pool:
        return sorted(pool.map(one, steps))


@pytest.mark.django_db(transaction=True)
def test_two_approvers_at_once_are_one_approval() -> None:
    with_a_new_rule()
    draft = in_review()

    def approve(actor: Actor) -> Any:
        return lambda: approve_draft(draft=draft, digest=draft.digest, actor=actor, comment="")

    assert together(approve(APPROVER), approve(SECOND_APPROVER)) == ["draft_state_conflict", "ok"]
    assert DraftEvent.objects.filter(step="approved").count() == 1
    draft.refresh_from_db()
    assert draft.events.get(step="approved").person == draft.approved_by


@pytest.mark.django_db(transaction=True)
def test_approving_while_an_author_takes_the_rules_anew_approves_only_what_was_seen() -> None:
    with_a_new_rule()
    draft = in_review()
    seen = draft.digest
    AbacRule.objects.update(message="Changed meanwhile.")

    together(
        lambda: approve_draft(draft=draft, digest=seen, actor=APPROVER, comment=""),
        lambda: refresh_draft(draft=draft, actor=AUTHOR),
    )

    draft.refresh_from_db()
    assert (draft.state, draft.approved_by) == (DraftState.DRAFT, "")
    assert draft.digest != seen


@pytest.mark.django_db(transaction=True)
def test_two_activations_at_once_are_one() -> None:
    with_a_new_rule()
    draft = approved()
    outcome = together(*[lambda: activate_draft(draft=draft, actor=APPROVER)] * 2)
    assert outcome == ["draft_state_conflict", "ok"]
    assert PolicyActivation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_drafts_activated_at_once_one_wins_and_the_other_is_stale() -> None:
    with_a_new_rule()
    one = approved("One")
    AbacRuleFactory(slug="another")
    two = approved("Two")
    outcome = together(
        lambda: activate_draft(draft=one, actor=APPROVER), lambda: activate_draft(draft=two, actor=APPROVER)
    )
    assert outcome == ["draft_stale", "ok"]
    assert PolicyDraft.objects.filter(state=DraftState.ACTIVE).count() == 1


def test_replayed_is_a_state_of_its_own() -> None:
    with_a_new_rule()
    assert replayed().state == DraftState.REPLAYED
