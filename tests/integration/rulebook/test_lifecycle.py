"""The way of a draft into force, and who may do what on it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction

from governance.audit.models import OutboxEntry
from governance.audit.ports import worm_store
from governance.audit.types import Actor
from governance.decisions.errors import ReplayConflict
from governance.decisions.replay import request_replay
from governance.engines import obligations
from governance.engines.ports import policy_engine
from governance.engines.types import Effect, EngineRequest
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.kernel.errors import Unavailable
from governance.rulebook.activation import activate_draft, previous_revision, publish_without_review, roll_back
from governance.rulebook.archive import archived_program
from governance.rulebook.choices import DraftState
from governance.rulebook.errors import (
    DraftStale,
    DraftStateConflict,
    NothingToPropose,
    OwnDraft,
    ReplayNeeded,
    ReviewRequired,
    RevisionCorrupt,
    RollbackImpossible,
    RollbackNeedsTwo,
    RuleInvalid,
)
from governance.rulebook.lifecycle import (
    approve_draft,
    check_draft,
    open_draft,
    propose_rollback,
    refresh_draft,
    reject_draft,
    submit_draft,
)
from governance.rulebook.models import (
    AbacRule,
    DraftEvent,
    PolicyActivation,
    PolicyDraft,
    PolicyRevision,
    RevisionAnchor,
)
from governance.rulebook.queries import active_program, active_revision, load_program
from governance.rulebook.services import create_rule, delete_rule, update_rule
from tests.factories.drafts import (
    APPROVER,
    AUTHOR,
    SECOND_APPROVER,
    approved,
    in_review,
    proposed,
    replay,
    replayed,
    with_a_new_rule,
)
from tests.factories.rulebook import AbacRuleFactory, permitted_facts, rule
from tests.waiting import PATIENCE_SECONDS

SEED = Actor("system", "seed")
pytestmark = pytest.mark.django_db


def kinds() -> list[str]:
    return list(OutboxEntry.objects.order_by("id").values_list("kind", flat=True))


def ask(**changes: Any) -> Effect:
    request = EngineRequest("asset.infer", permitted_facts("asset.infer", **changes))
    return policy_engine.get().evaluate(program=active_program(), requests=[request])[0].effect


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


@pytest.mark.parametrize("edit", ["create", "update", "delete"])
def test_an_editor_of_any_changed_rule_does_not_approve(edit: str) -> None:
    editor = get_user_model().objects.create_user(username="editor")
    stored = AbacRuleFactory(slug="block-region")
    other = AbacRuleFactory(slug="other")
    publish_without_review(actor=SEED)
    update_rule(rule=other, spec=rule(id="other", message="No."), enabled=True, actor_user=editor)
    publish_without_review(actor=SEED)
    with_a_new_rule()
    assert f"user:{editor.pk}" not in proposed("Nothing of the editor").authors
    match edit:
        case "create":
            create_rule(spec=rule(id="new"), enabled=True, actor_user=editor)
        case "update":
            update_rule(rule=stored, spec=rule(message="No."), enabled=True, actor_user=editor)
        case _:
            delete_rule(rule=stored, actor_user=editor)

    draft = in_review("Something of the editor")

    assert draft.authors == sorted(["user:901", f"user:{editor.pk}"])
    with pytest.raises(OwnDraft):
        approve_draft(draft=draft, digest=draft.digest, actor=Actor("user", str(editor.pk)), comment="")


def person(name: str) -> tuple[Any, str]:
    """Return a user and how drafts name it."""
    user = get_user_model().objects.create_user(username=name)
    return user, f"user:{user.pk}"


def test_who_wrote_a_disabled_rule_that_another_enabled_later_is_its_author() -> None:
    writer, writer_name = person("writer")
    enabler, enabler_name = person("enabler")
    stored = create_rule(spec=rule(), enabled=False, actor_user=writer)
    publish_without_review(actor=SEED)
    update_rule(rule=stored, spec=rule(), enabled=True, actor_user=enabler)

    assert proposed().authors == sorted([str(AUTHOR), writer_name, enabler_name])


def test_who_changed_a_rule_while_it_was_out_of_force_is_its_author() -> None:
    writer, writer_name = person("writer")
    editor, editor_name = person("editor")
    enabler, enabler_name = person("enabler")
    stored = create_rule(spec=rule(), enabled=True, actor_user=writer)
    publish_without_review(actor=SEED)
    stored = update_rule(rule=stored, spec=rule(message="No."), enabled=False, actor_user=editor)
    publish_without_review(actor=SEED)
    stored = update_rule(rule=stored, spec=rule(message="No."), enabled=True, actor_user=enabler)
    assert {writer_name, editor_name, enabler_name} <= set(proposed("Never in force").authors)

    update_rule(rule=stored, spec=rule(), enabled=True, actor_user=enabler)
    again = proposed("As it was").authors
    assert {editor_name, enabler_name} <= set(again)
    assert writer_name not in again


def test_who_reverts_a_change_and_who_is_reverted_are_authors() -> None:
    eager, eager_name = person("eager")
    calm, calm_name = person("calm")
    stored = create_rule(spec=rule(), enabled=True, actor_user=eager)
    publish_without_review(actor=SEED)
    stored = update_rule(rule=stored, spec=rule(message="No."), enabled=True, actor_user=eager)
    update_rule(rule=stored, spec=rule(), enabled=True, actor_user=calm)
    with_a_new_rule()

    assert {eager_name, calm_name} <= set(proposed().authors)


def test_who_wrote_a_rule_before_edits_were_kept_is_its_author() -> None:
    _, writer_name = person("veteran")
    AbacRuleFactory(created_by="veteran", updated_by="veteran")

    assert proposed().authors == sorted([str(AUTHOR), writer_name])


def test_an_approval_of_an_older_version_is_held_to_todays_rule() -> None:
    writer, writer_name = person("writer")
    create_rule(spec=rule(), enabled=True, actor_user=writer)
    draft = in_review()
    PolicyDraft.objects.filter(pk=draft.pk).update(authors=[str(AUTHOR)])
    with pytest.raises(OwnDraft):
        approve_draft(draft=draft, digest=draft.digest, actor=Actor("user", str(writer.pk)), comment="")

    PolicyDraft.objects.filter(pk=draft.pk).update(
        state=DraftState.APPROVED, approved_by=writer_name, approved_at=clock.now()
    )
    with pytest.raises(OwnDraft):
        activate_draft(draft=draft, actor=APPROVER)


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
