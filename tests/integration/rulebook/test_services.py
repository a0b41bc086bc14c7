"""ABAC rules and the revisions made of them."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, connection, transaction

from governance.audit.models import OutboxEntry
from governance.audit.types import Actor
from governance.engines.errors import ProgramRejected
from governance.engines.ports import policy_engine
from governance.engines.types import Effect, EngineRequest
from governance.kernel.canonical import digest
from governance.keys.ring import KeyUnavailable, key_ring
from governance.rulebook.activation import publish_without_review
from governance.rulebook.content import ABAC
from governance.rulebook.entries import rule_state
from governance.rulebook.errors import RevisionCorrupt, RuleIdTaken, RuleInvalid
from governance.rulebook.models import AbacRule, PolicyActivation, PolicyRevision
from governance.rulebook.queries import active_program, active_revision, revision_rules, spec_of
from governance.rulebook.rules import system_rules
from governance.rulebook.services import create_rule, delete_rule, update_rule
from governance.rulebook.types import Compare, Operator
from tests.factories.rulebook import BLOCK_REGION, AbacRuleFactory, permitted_facts, rule
from tests.waiting import PATIENCE_SECONDS

SEED = Actor("system", "seed")


def ledger() -> list[tuple[str, dict[str, Any]]]:
    """Return what was recorded, in order: kind and data."""
    entries = OutboxEntry.objects.order_by("id")
    return [(entry.kind, json.loads(bytes(entry.body))["data"]) for entry in entries]


def kinds() -> list[str]:
    return [kind for kind, _ in ledger()]


def ask(action: str = "asset.infer", **changes: Any) -> Effect:
    request = EngineRequest(action, permitted_facts(action, **changes))
    return policy_engine.get().evaluate(program=active_program(), requests=[request])[0].effect


def test_a_rule_is_stored_in_normal_form_and_recorded(author: AbstractBaseUser) -> None:
    spoken = rule(actions=("model.invoke", "asset.infer"))

    stored = create_rule(spec=spoken, enabled=True, actor_user=author)

    assert spec_of(AbacRule.objects.get()) == BLOCK_REGION
    assert (stored.created_by, stored.updated_by, stored.enabled) == ("policy-author", "policy-author", True)
    [(kind, data)] = ledger()
    assert kind == "rule.created"
    assert (data["rule"], data["effect"], data["enabled"]) == ("block-region", "deny", True)
    assert (data["before"], data["after"]) == (None, rule_state(stored))
    assert OutboxEntry.objects.get().actor_id == str(author.pk)


def test_a_rule_that_is_not_valid_is_not_stored(author: AbstractBaseUser) -> None:
    nonsense = rule(condition=Compare("subject.regoin", Operator.EQ, "DE"))

    with pytest.raises(RuleInvalid, match=r"Did you mean 'subject\.region'"):
        create_rule(spec=nonsense, enabled=True, actor_user=author)

    assert not AbacRule.objects.exists()
    assert kinds() == []


@pytest.mark.parametrize("taken", ["block-region", "consent-withdrawn"])
def test_an_id_is_taken_once(author: AbstractBaseUser, taken: str) -> None:
    AbacRuleFactory(slug="block-region")

    with pytest.raises(RuleIdTaken, match=taken):
        create_rule(spec=rule(id=taken), enabled=True, actor_user=author)

    assert AbacRule.objects.count() == 1
    assert kinds() == []


def test_a_rule_is_changed_and_keeps_its_id(author: AbstractBaseUser) -> None:
    stored = AbacRuleFactory(slug="block-region", created_by="somebody")

    changed = update_rule(rule=stored, spec=rule(message="No."), enabled=False, actor_user=author)

    assert (changed.message, changed.enabled) == ("No.", False)
    assert (changed.created_by, changed.updated_by) == ("somebody", "policy-author")
    [(kind, data)] = ledger()
    assert kind == "rule.updated"
    assert (data["before"], data["after"]) == (rule_state(stored), rule_state(changed))
    assert (data["before"]["enabled"], data["after"]["message"]) == (True, "No.")
    with pytest.raises(RuleInvalid, match="does not change"):
        update_rule(rule=stored, spec=rule(id="another"), enabled=True, actor_user=author)


def test_a_rule_is_deleted_and_recorded(author: AbstractBaseUser) -> None:
    stored = AbacRuleFactory(slug="block-region")
    was = rule_state(stored)

    delete_rule(rule=stored, actor_user=author)

    assert not AbacRule.objects.exists()
    assert ledger() == [("rule.deleted", {"rule": "block-region", "before": was, "after": None})]


def test_a_condition_too_long_for_an_entry_is_recorded_by_its_digest(author: AbstractBaseUser) -> None:
    regions = [f"{number:0200}" for number in range(200)]
    stored = AbacRuleFactory(slug="block-region", condition={"attr": "subject.region", "op": "in", "value": regions})

    update_rule(rule=stored, spec=rule(), enabled=True, actor_user=author)

    [(_, data)] = ledger()
    assert data["before"]["condition"] == {"sha256": digest(stored.condition)}
    assert data["after"]["condition"] == {"attr": "subject.region", "op": "in", "value": ["DE", "FR"]}


@pytest.mark.django_db
def test_a_rule_decides_once_it_is_published() -> None:
    publish_without_review(actor=SEED, note="First.")
    assert ask(subject__region="FR") is Effect.PERMIT
    stored = AbacRuleFactory()
    assert ask(subject__region="FR") is Effect.PERMIT

    publish_without_review(actor=SEED)
    assert ask(subject__region="FR") is Effect.DENY
    assert ask("model.invoke", subject__region="FR") is Effect.DENY
    assert ask(subject__region="US") is Effect.PERMIT

    stored.delete()
    publish_without_review(actor=SEED)
    assert ask(subject__region="FR") is Effect.PERMIT


@pytest.mark.django_db
def test_a_revision_holds_the_system_rules_and_the_enabled_ones() -> None:
    AbacRuleFactory(slug="block-region")
    AbacRuleFactory(slug="off", enabled=False)

    revision = publish_without_review(actor=SEED, note="For the demo.")

    rules = revision_rules(revision)
    assert [entry.spec for entry in rules if entry.origin == ABAC] == [BLOCK_REGION]
    assert revision.rule_count == len(rules) == len(system_rules()) + 1
    assert (revision.number, revision.note, revision.created_by) == (1, "For the demo.", "system:seed")
    assert active_revision() == revision
    assert kinds() == ["revision.published", "revision.anchored", "revision.activated"]
    assert ledger()[0][1] == {"number": 1, "digest": revision.digest, "rules": revision.rule_count}


@pytest.mark.django_db
def test_the_same_rules_are_the_same_revision() -> None:
    first = publish_without_review(actor=SEED)

    assert publish_without_review(actor=SEED) == first
    assert PolicyActivation.objects.count() == 1

    AbacRuleFactory()
    second = publish_without_review(actor=SEED)
    AbacRule.objects.all().delete()

    assert publish_without_review(actor=SEED) == first
    assert active_revision() == first
    assert second.number == 2
    assert (PolicyRevision.objects.count(), PolicyActivation.objects.count()) == (2, 3)
    assert kinds()[-2:] == ["revision.anchored", "revision.activated"]


@pytest.mark.django_db
def test_a_stored_rule_that_no_longer_fits_the_schema_stops_the_publication() -> None:
    AbacRuleFactory(slug="old", condition={"attr": "asset.colour", "op": "eq", "value": "red"})

    with pytest.raises(RuleInvalid, match=r"Rule 'old': condition\.attr"):
        publish_without_review(actor=SEED)

    assert not PolicyRevision.objects.exists()


@pytest.mark.django_db
def test_an_id_that_became_a_system_rule_stops_the_publication() -> None:
    AbacRuleFactory(slug="consent-withdrawn")

    with pytest.raises(RuleInvalid, match="Another rule has this id"):
        publish_without_review(actor=SEED)


@pytest.mark.django_db
def test_a_program_that_the_engine_refuses_is_not_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("governance.engines.builtins.ALLOWED", frozenset())

    with pytest.raises(ProgramRejected):
        publish_without_review(actor=SEED)

    assert not PolicyRevision.objects.exists()
    assert kinds() == []


@pytest.mark.django_db
def test_nothing_is_published_unsigned(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_key(**options: Any) -> None:
        raise KeyUnavailable("No key.")

    monkeypatch.setattr(key_ring.get(), "sign", no_key)

    with pytest.raises(KeyUnavailable):
        publish_without_review(actor=SEED)

    assert not PolicyRevision.objects.exists()


@pytest.mark.django_db
def test_a_revision_whose_key_is_gone_is_not_activated_again() -> None:
    publish_without_review(actor=SEED)
    for info in key_ring.get().public_keys():
        key_ring.get().revoke(key_id=info.key_id, since=info.not_before)

    with pytest.raises(RevisionCorrupt):
        publish_without_review(actor=SEED)


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["rulebook_policyrevision", "rulebook_policyactivation"])
def test_published_history_cannot_be_changed(table: str) -> None:
    publish_without_review(actor=SEED)

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table}")


@pytest.mark.django_db(transaction=True)
def test_two_publishers_at_once_make_one_revision() -> None:
    AbacRuleFactory()
    gate = Barrier(2)

    def one(_: int) -> int:
        try:
            gate.wait(PATIENCE_SECONDS)
            return publish_without_review(actor=SEED).number
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=2) as pool:
        numbers = list(pool.map(one, range(2)))

    assert numbers == [1, 1]
    assert (PolicyRevision.objects.count(), PolicyActivation.objects.count()) == (1, 1)
