"""The emergency brake: one person pulls it, two let it go, and every process notices."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction

from governance.audit.models import OutboxEntry
from governance.audit.types import Actor
from governance.kernel import clock
from governance.rulebook.activation import publish_without_review
from governance.rulebook.errors import FreezeConflict, NoActiveRevision, PolicyFrozen
from governance.rulebook.freeze import freeze_policy, lift_freeze, withdraw_lift
from governance.rulebook.models import PolicyFreeze
from governance.rulebook.queries import active_freeze, active_program
from tests.waiting import PATIENCE_SECONDS

ONE, TWO, THREE = (Actor("user", str(number)) for number in (1, 2, 3))
pytestmark = pytest.mark.django_db


def kinds() -> list[str]:
    found = OutboxEntry.objects.filter(subject_type="freeze").order_by("id")
    return list(found.values_list("kind", flat=True))


def test_only_people_lift_a_freeze() -> None:
    freeze = freeze_policy(actor=ONE, reason="A rule lets everything through.")
    with pytest.raises(FreezeConflict, match="Only people"):
        lift_freeze(freeze=freeze, actor=Actor("system", "script"))


def test_a_freeze_denies_until_two_have_lifted_it() -> None:
    publish_without_review(actor=ONE)
    freeze = freeze_policy(actor=ONE, reason="A rule lets everything through.")
    with pytest.raises(PolicyFrozen):
        active_program()

    lift_freeze(freeze=freeze, actor=ONE)
    with pytest.raises(FreezeConflict, match="second person"):
        lift_freeze(freeze=freeze, actor=ONE)
    with pytest.raises(PolicyFrozen):
        active_program()

    lifted = lift_freeze(freeze=freeze, actor=TWO)

    assert (lifted.active, lifted.lift_asked_by, lifted.lifted_by) == (False, "user:1", "user:2")
    assert active_freeze() is None
    assert active_program().rules
    assert kinds() == ["policy.frozen", "policy.lift_asked", "policy.lifted"]
    with pytest.raises(FreezeConflict, match="already"):
        lift_freeze(freeze=freeze, actor=THREE)


def test_whoever_asked_can_take_it_back() -> None:
    freeze = freeze_policy(actor=ONE, reason="Doubt.")
    lift_freeze(freeze=freeze, actor=TWO)
    withdraw_lift(freeze=freeze, actor=THREE)
    assert lift_freeze(freeze=freeze, actor=THREE).active
    with pytest.raises(FreezeConflict):
        withdraw_lift(freeze=freeze_again(freeze), actor=ONE)


def freeze_again(freeze: PolicyFreeze) -> PolicyFreeze:
    lift_freeze(freeze=freeze, actor=ONE)
    return freeze_policy(actor=ONE, reason="Again.")


def test_it_is_frozen_once() -> None:
    freeze_policy(actor=ONE, reason="Doubt.")
    with pytest.raises(FreezeConflict):
        freeze_policy(actor=TWO, reason="More doubt.")
    assert kinds() == ["policy.frozen"]


def test_nothing_active_stays_the_reason_without_a_revision() -> None:
    freeze_policy(actor=ONE, reason="Doubt.")
    with pytest.raises(NoActiveRevision):
        active_program()


def test_the_database_keeps_one_person_from_lifting_alone() -> None:
    freeze = freeze_policy(actor=ONE, reason="Doubt.")
    lift_freeze(freeze=freeze, actor=ONE)
    with pytest.raises(IntegrityError, match="freeze_lifted_by_two"), transaction.atomic():
        PolicyFreeze.objects.filter(pk=freeze.pk).update(active=False, lifted_by="user:1", lifted_at=clock.now())
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        PolicyFreeze.objects.filter(pk=freeze.pk).update(reason="Nothing.")


@pytest.mark.django_db(transaction=True)
def test_two_who_ask_at_once_lift_it_together() -> None:
    freeze = freeze_policy(actor=ONE, reason="Doubt.")
    gate = Barrier(2)

    def lift(actor: Actor) -> bool:
        try:
            gate.wait(PATIENCE_SECONDS)
            return lift_freeze(freeze=freeze, actor=actor).active
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=2) as pool:
        assert sorted(pool.map(lift, [TWO, THREE])) == [False, True]
    assert active_freeze() is None


@pytest.mark.django_db(transaction=True)
def test_another_connection_notices_with_its_next_decision() -> None:
    publish_without_review(actor=ONE)

    def code() -> str:
        try:
            return "" if active_program() else "none"
        except PolicyFrozen as error:
            return error.error_code
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=1) as pool:
        assert pool.submit(code).result() == ""
        freeze = freeze_policy(actor=ONE, reason="Doubt.")
        assert pool.submit(code).result() == "policy_frozen"
        lift_freeze(freeze=freeze, actor=ONE)
        lift_freeze(freeze=freeze, actor=TWO)
        assert pool.submit(code).result() == ""
