"""Advisory locks, taken from two connections at once."""

import pytest
from django.db import transaction

from governance.audit.guards.advisory_locks import (
    AdvisoryLock,
    LockScope,
    session_lock,
    try_lock,
    wait_for_lock,
    wait_for_named_lock,
)
from tests.threads import in_threads

pytestmark = pytest.mark.django_db(transaction=True)


def tried(lock: AdvisoryLock) -> bool:
    """Return whether another connection gets the lock now."""

    def attempt() -> bool:
        with transaction.atomic():
            return try_lock(lock)

    [held] = in_threads(attempt)
    return bool(held)


def test_a_lock_is_held_until_the_transaction_ends() -> None:
    with transaction.atomic():
        wait_for_lock(AdvisoryLock.POLICY)
        assert not tried(AdvisoryLock.POLICY)
        assert tried(AdvisoryLock.PUBLISHER)
    assert tried(AdvisoryLock.POLICY)


def test_whoever_tries_first_holds_the_lock() -> None:
    with transaction.atomic():
        assert try_lock(AdvisoryLock.SEQUENCER)
        assert not tried(AdvisoryLock.SEQUENCER)


def test_named_locks_of_one_scope_let_one_transaction_at_a_time_past() -> None:
    passed: list[str] = []

    def register(name: str) -> None:
        with transaction.atomic():
            wait_for_named_lock(LockScope.ASSET, name)
            passed.append(f"{name} begins")
            passed.append(f"{name} ends")

    in_threads(*[lambda: register("same")] * 4)

    assert passed == ["same begins", "same ends"] * 4


def test_a_session_lock_outlives_transactions_and_ends_with_the_block() -> None:
    with session_lock(AdvisoryLock.RECONCILIATION) as held:
        assert held
        with transaction.atomic():
            pass
        assert not tried(AdvisoryLock.RECONCILIATION)
    assert tried(AdvisoryLock.RECONCILIATION)


def test_a_session_lock_that_is_taken_is_not_held_and_not_released() -> None:
    def second() -> bool:
        with session_lock(AdvisoryLock.RECONCILIATION) as held:
            return held

    with session_lock(AdvisoryLock.RECONCILIATION):
        assert in_threads(second) == [False]
        assert not tried(AdvisoryLock.RECONCILIATION)


def test_locks_differ() -> None:
    assert len(set(AdvisoryLock)) == len(AdvisoryLock.__members__)
