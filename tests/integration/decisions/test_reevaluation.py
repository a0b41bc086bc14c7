"""Past decisions made once more with the revision of their day, read back from WORM storage."""

import json
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from governance.audit.ports import worm_store
from governance.decisions.models import DecisionRecord
from governance.decisions.reevaluation import remake
from governance.rulebook.activation import publish_without_review
from governance.rulebook.errors import RevisionCorrupt
from governance.rulebook.freeze import freeze_policy
from governance.rulebook.models import PolicyRevision
from tests.factories.drafts import AUTHOR
from tests.factories.rulebook import AbacRuleFactory
from tests.history import guards_lifted


@pytest.fixture
def permitted(market):
    return market.submit().job.admission


def test_a_decision_comes_out_the_same_under_a_later_revision(permitted, market):
    AbacRuleFactory(condition={"attr": "subject.region", "op": "eq", "value": "DE"})
    publish_without_review(actor=AUTHOR)
    denied = market.submit().job.admission
    assert (denied.effect, denied.reason_codes) == ("deny", ["region_blocked"])
    for decision in (permitted, denied):
        again = remake(decision)
        assert (again.agrees, again.effect, again.evaluations) == (True, decision.effect, 2)


def test_the_revision_is_read_from_worm_and_not_from_the_database(permitted):
    with guards_lifted():
        PolicyRevision.objects.update(content="{}")
    assert remake(permitted).agrees


def test_a_record_that_was_altered_does_not_agree(permitted):
    evaluations = permitted.evaluations
    evaluations[1]["facts"]["subject"]["status"] = "suspended"
    with guards_lifted():
        DecisionRecord.objects.update(evaluations=evaluations)
    permitted.refresh_from_db()
    again = remake(permitted)
    assert not again.agrees
    assert "the decision would be deny, not permit" in again.differences


def test_a_decision_that_policy_did_not_make_is_not_compared(market):
    freeze_policy(actor=AUTHOR, reason="A test.")
    again = remake(market.submit().job.admission)
    assert (again.agrees, again.undecided, again.evaluations) == (True, "policy_frozen", 0)


def test_an_altered_archive_is_an_error(permitted, monkeypatch):
    monkeypatch.setattr(worm_store.get(), "get", lambda **place: b"{}")
    with pytest.raises(RevisionCorrupt):
        remake(permitted)


def test_the_command_says_whether_it_agrees(permitted, capsys):
    call_command("decision", "remake", str(permitted.pk))
    assert "permit again, it agrees" in capsys.readouterr().out
    call_command("decision", "remake", "--json", str(permitted.pk))
    assert json.loads(capsys.readouterr().out)["agrees"] is True


def test_the_command_fails_where_it_does_not(permitted, capsys):
    with guards_lifted():
        DecisionRecord.objects.update(effect="deny")
    with pytest.raises(CommandError, match="differs from its record"):
        call_command("decision", "remake", str(permitted.pk))
    assert "would be permit, not deny" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no decision"):
        call_command("decision", "remake", str(uuid4()))
