"""Rules: a change prepared from an older state undoes nothing, and the upgrade puts each rule on record."""

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import AbstractBaseUser
from django.db import connection

from governance.audit.errors import ChangedMeanwhile
from governance.audit.models import OutboxEntry
from governance.rulebook.entries import RULE
from governance.rulebook.models import AbacRule
from governance.rulebook.queries import spec_of
from governance.rulebook.services import create_rule, delete_rule, update_rule
from tests.factories.audit import newest_data
from tests.factories.rulebook import rule
from tests.history import guards_lifted

pytestmark = pytest.mark.django_db


@pytest.fixture
def author(django_user_model: type[AbstractBaseUser]) -> AbstractBaseUser:
    return django_user_model._default_manager.create(username="ada")


@pytest.fixture
def blocks(author: AbstractBaseUser) -> AbacRule:
    return create_rule(spec=rule(), enabled=False, actor_user=author)


def test_a_change_prepared_from_an_older_state_is_refused(blocks: AbacRule, author: AbstractBaseUser) -> None:
    seen = RULE.state(blocks)
    update_rule(rule=blocks, spec=spec_of(blocks), enabled=True, actor_user=author)

    with pytest.raises(ChangedMeanwhile) as refused:
        update_rule(rule=blocks, spec=spec_of(blocks), enabled=False, actor_user=author, seen=seen)

    assert set(refused.value.details["changes"]) == {"enabled"}
    assert AbacRule.objects.get().enabled
    update_rule(rule=blocks, spec=spec_of(blocks), enabled=False, actor_user=author, seen=RULE.present_state(blocks))
    assert not AbacRule.objects.get().enabled


def test_a_rule_that_is_gone_is_neither_changed_nor_deleted(blocks: AbacRule, author: AbstractBaseUser) -> None:
    spec, seen = spec_of(blocks), RULE.state(blocks)
    delete_rule(rule=AbacRule.objects.get(), actor_user=author)

    with pytest.raises(ChangedMeanwhile):
        update_rule(rule=blocks, spec=spec, enabled=True, actor_user=author, seen=seen)
    with pytest.raises(ChangedMeanwhile):
        delete_rule(rule=blocks, actor_user=author)

    assert not AbacRule.objects.exists()


def test_the_upgrade_puts_each_rule_on_record(blocks: AbacRule, author: AbstractBaseUser) -> None:
    create_rule(spec=rule(id="another"), enabled=True, actor_user=author)
    with guards_lifted():
        OutboxEntry.objects.all().delete()

    import_module("governance.rulebook.migrations.0006_rules_on_record").adopt(apps, connection.schema_editor())

    for row in RULE.rows():
        assert newest_data("rule.adopted", RULE.ref(row)) == {"before": None, "after": RULE.state(row)}
    assert {entry.actor_id for entry in OutboxEntry.objects.all()} == {"upgrade"}
    assert OutboxEntry.objects.count() == 2
