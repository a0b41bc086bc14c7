"""Replays: counts and lists of what a draft would have answered otherwise."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from governance.decisions.errors import ReplayConflict
from governance.decisions.models import DecisionRecord, ReplayFlip
from governance.decisions.replay import cancel_replay, request_replay, stalled_replays, work_batch
from governance.kernel import clock
from governance.rulebook.activation import publish_without_review
from governance.rulebook.choices import DraftState
from governance.rulebook.freeze import freeze_policy, lift_freeze
from governance.workflows.replay import resume_replays, work_on_replay
from tests.factories.drafts import APPROVER, AUTHOR, SECOND_APPROVER, WORKER, proposed, replay
from tests.factories.rulebook import AbacRuleFactory

PARTNER_IS_GERMAN = {"attr": "subject.region", "op": "eq", "value": "DE"}


@pytest.fixture
def decided(market):
    """Three permitted decisions and one denied for its purpose."""
    for _ in range(3):
        market.submit()
    market.submit(purpose="research")
    return market


@pytest.fixture
def blocking(decided):
    AbacRuleFactory(slug="no-germany", actions=["asset.infer"], condition=PARTNER_IS_GERMAN)
    return proposed()


def ask(draft, **changes):
    until = clock.now() + timedelta(seconds=1)
    window = {"since": until - timedelta(days=1), "until": until, "sample_percent": 100} | changes
    return request_replay(draft=draft, actor=AUTHOR, **window)


def finish(report):
    while work_batch(report_id=report.pk, actor=WORKER):
        pass
    report.refresh_from_db()
    return report


def test_what_flips_is_counted_and_listed(blocking):
    report = replay(blocking)
    assert (report.state, report.total, report.done, report.skipped) == ("finished", 4, 4, 0)
    assert (report.to_deny, report.to_permit) == (3, 0)
    assert report.summary["to_deny"] == {
        "rule": {"no-germany": 3},
        "creator": {"ada": 3},
        "partner": {"lumen": 3},
        "model": {"espcn-x2": 3},
        "action": {"asset.infer": 3},
    }
    permitted = DecisionRecord.objects.filter(effect="permit").values_list("id", flat=True)
    assert set(report.flips.values_list("decision_id", flat=True)) == set(permitted)
    assert all(flip.by_draft for flip in report.flips.all())
    blocking.refresh_from_db()
    assert (blocking.state, blocking.replay_id) == (DraftState.REPLAYED, report.pk)


def test_a_new_permission_flips_the_other_way(decided):
    AbacRuleFactory(
        slug="anything", effect="permit", actions=["asset.infer"], reason_code="ok", message="Yes.",
        condition={"attr": "purpose", "op": "eq", "value": "research"},
    )  # fmt: skip
    report = replay(proposed())
    assert (report.to_deny, report.to_permit) == (0, 0)  # a permission does not outweigh the system rules' denial


def test_a_flip_that_the_active_revision_makes_already_is_marked(decided):
    report = replay(proposed_after_blocking())
    assert report.to_deny == 3
    assert not any(flip.by_draft for flip in report.flips.all())


def proposed_after_blocking():
    """Return a draft that changes nothing for Germany, made after another revision began to block it."""
    AbacRuleFactory(slug="no-germany", actions=["asset.infer"], condition=PARTNER_IS_GERMAN)
    publish_without_review(actor=AUTHOR)
    AbacRuleFactory(slug="elsewhere", condition={"attr": "subject.region", "op": "eq", "value": "JP"})
    return proposed()


def test_decisions_that_no_policy_made_are_skipped(blocking, decided):
    freeze = freeze_policy(actor=AUTHOR, reason="A test.")
    decided.submit()
    lift_freeze(freeze=freeze, actor=APPROVER)
    lift_freeze(freeze=freeze, actor=SECOND_APPROVER)
    report = replay(blocking)
    assert (report.total, report.skipped, report.to_deny) == (5, 1, 3)


def test_batches_go_on_where_the_last_ended(blocking, monkeypatch):
    monkeypatch.setattr("governance.decisions.replay.BATCH", 3)
    report = ask(blocking)
    assert work_batch(report_id=report.pk, actor=WORKER)
    report.refresh_from_db()
    assert (report.state, report.done) == ("running", 3)
    finish(report)
    assert (report.state, report.done, report.to_deny) == ("finished", 4, 3)


def test_a_sample_is_a_part_and_always_the_same(blocking):
    shares = {percent: ask_share(blocking, percent) for percent in (1, 100)}
    assert shares[1] <= shares[100] == 4


def ask_share(draft, percent):
    return cancelled(ask(draft, sample_percent=percent)).total


def cancelled(report):
    return cancel_replay(report=report, actor=AUTHOR)


def test_a_cancelled_replay_stops_and_does_not_count(blocking):
    report = cancelled(ask(blocking))
    assert not work_batch(report_id=report.pk, actor=WORKER)
    blocking.refresh_from_db()
    assert (report.state, blocking.state) == ("cancelled", DraftState.CHECKED)
    with pytest.raises(ReplayConflict):
        cancelled(report)


def test_one_replay_of_a_draft_at_a_time(blocking):
    ask(blocking)
    with pytest.raises(ReplayConflict, match="under way"):
        ask(blocking)


def test_a_replay_that_nobody_moves_is_sent_again(blocking, monkeypatch):
    sent = []
    monkeypatch.setattr("governance.workflows.replay.send", lambda **message: sent.append(message["args"]) or True)
    report = ask(blocking)
    assert resume_replays() == 0
    type(report).objects.filter(pk=report.pk).update(heard_at=clock.now() - timedelta(minutes=1))
    assert stalled_replays(before=clock.now()) == [report.pk]
    assert resume_replays() == 1
    assert sent == [[str(report.pk)]]


def test_a_long_replay_gives_way_and_comes_again(blocking, monkeypatch):
    sent = []
    monkeypatch.setattr("governance.workflows.replay.send", lambda **message: sent.append(message["args"]) or True)
    report = ask(blocking)
    assert not work_on_replay(report_id=report.pk, actor=WORKER, seconds=0)
    assert sent == [[str(report.pk)]]
    assert work_on_replay(report_id=report.pk, actor=WORKER)


def test_found_flips_cannot_be_changed(blocking):
    replay(blocking)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        ReplayFlip.objects.all().delete()
