"""Writers at the same time: no epoch is lost, nobody waits for ever, and no change slips past a permit."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import pytest
from django.db import connection, transaction

from governance.catalog.creators import reinstate_creator, suspend_creator
from governance.catalog.errors import ProposalClosed, ProposalStale
from governance.catalog.levels import LEVEL_PROPOSALS, put_level_in_force
from governance.catalog.models import ConsentGrant, ConsentLevel, ConsentLevelProposal, Creator
from governance.catalog.services import record_grant, record_withdrawal
from tests.factories.catalog import ACTOR, INFER, TRAIN, AssetFactory, ConsentGrantFactory, ConsentLevelFactory
from tests.factories.levels import APPROVER, change_level, propose
from tests.waiting import PATIENCE_SECONDS, somebody_waits, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def apart(work: Callable[[], object]) -> Callable[[], object]:
    """Return `work` for a thread with a database connection of its own."""

    def run() -> object:
        try:
            return work()
        finally:
            connection.close()

    return run


def at_once(*works: Callable[[], object]) -> None:
    """Start all works at the same moment and raise what any of them raised."""
    start = threading.Barrier(len(works))

    def when_all_are_there(work: Callable[[], object]) -> Callable[[], object]:
        return apart(lambda: (start.wait(PATIENCE_SECONDS), work()))

    with ThreadPoolExecutor(len(works)) as pool:
        futures: list[Future[object]] = [pool.submit(when_all_are_there(work)) for work in works]
    for future in futures:
        future.result(timeout=0)


def grant(creator: Creator, level: ConsentLevel) -> ConsentGrant:
    return record_grant(creator=creator, asset=None, level=level, method="console", actor=ACTOR)


def withdraw(creator: Creator) -> ConsentGrant:
    return record_withdrawal(creator=creator, asset=None, everything=True, method="console", actor=ACTOR)


def test_changes_at_the_same_time_begin_an_epoch_each() -> None:
    asset, level = AssetFactory(), ConsentLevelFactory()
    ConsentGrantFactory(creator=asset.creator, asset=asset, level=level)

    def fresh() -> Creator:
        return Creator.objects.get(id=asset.creator_id)

    at_once(*[lambda: grant(fresh(), level)] * 4, *[lambda: withdraw(fresh())] * 4)

    epochs = list(ConsentGrant.objects.filter(asset=None).order_by("epoch").values_list("epoch", flat=True))
    assert epochs == list(range(2, 10))
    assert fresh().consent_epoch == 9


def test_a_change_waits_for_the_lock_of_the_creator() -> None:
    creator, level = AssetFactory().creator, ConsentLevelFactory()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Creator.objects.select_for_update().get(id=creator.id)
            writer = pool.submit(apart(lambda: grant(creator, level)))
            wait_until(somebody_waits)
            assert not writer.done()
        writer.result(PATIENCE_SECONDS)

    assert Creator.objects.get(id=creator.id).consent_epoch == 1


def test_a_grant_waits_for_a_change_of_its_level_and_then_has_a_later_epoch() -> None:
    level = ConsentLevelFactory(pairs=[INFER])
    user = ConsentGrantFactory(level=level).creator
    newcomer = AssetFactory().creator

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            change_level(level, pairs=[TRAIN])
            writer = pool.submit(apart(lambda: grant(newcomer, level)))
            wait_until(somebody_waits)
            assert not writer.done()
        writer.result(PATIENCE_SECONDS)

    assert Creator.objects.get(id=user.id).consent_epoch == 2
    assert Creator.objects.get(id=newcomer.id).consent_epoch == 1


def test_grants_levels_and_suspensions_never_lock_each_other_out() -> None:
    levels = ConsentLevelFactory.create_batch(2)
    creators = [ConsentGrantFactory(level=levels[n % 2]).creator for n in range(4)]

    def speak() -> None:
        for n in range(12):
            grant(creators[n % 4], levels[n % 2])

    def redefine() -> None:
        for n in range(12):
            change_level(levels[n % 2], pairs=[[TRAIN], [INFER, TRAIN], [INFER]][n % 3])

    def suspend() -> None:
        for n in range(12):
            change_status = (reinstate_creator, suspend_creator)[n // 4 % 2]
            change_status(creator=creators[3 - n % 4], reason="A drill.", actor=ACTOR)

    before = sum(creator.consent_epoch for creator in creators)
    at_once(speak, speak, redefine, suspend)

    assert sum(Creator.objects.values_list("consent_epoch", flat=True)) > before + 24
    assert ConsentGrant.objects.count() == 28


def outcomes(*works: Callable[[], object]) -> list[type[BaseException] | None]:
    """Run all works at the same moment and return the type of what each raised, sorted by its name."""
    start = threading.Barrier(len(works))

    def when_all_are_there(work: Callable[[], object]) -> Callable[[], object]:
        return apart(lambda: (start.wait(timeout=10), work()))

    with ThreadPoolExecutor(len(works)) as pool:
        futures: list[Future[object]] = [pool.submit(when_all_are_there(work)) for work in works]
    raised = [future.exception(timeout=0) for future in futures]
    return sorted((None if error is None else type(error) for error in raised), key=str)


def approve(proposal: ConsentLevelProposal) -> object:
    return put_level_in_force(proposal=proposal, digest=proposal.digest, actor=APPROVER)


def test_a_proposal_that_two_approve_at_once_is_in_force_once() -> None:
    level = ConsentLevelFactory(pairs=[INFER])
    proposal = propose(level, pairs=[INFER, TRAIN])

    assert outcomes(*[lambda: approve(proposal)] * 3) == [ProposalClosed, ProposalClosed, None]
    assert level.versions.count() == 2


def test_of_two_proposals_approved_at_once_one_is_stale() -> None:
    level = ConsentLevelFactory(pairs=[INFER])
    one, other = propose(level, pairs=[TRAIN]), propose(level, pairs=[])

    assert outcomes(lambda: approve(one), lambda: approve(other)) == [ProposalStale, None]
    assert level.versions.count() == 2


def test_an_approval_and_a_rejection_at_once_leave_one_of_them() -> None:
    proposal = propose(ConsentLevelFactory(), pairs=[INFER, TRAIN])

    def reject() -> None:
        LEVEL_PROPOSALS.reject(proposal=proposal, actor=APPROVER, comment="No")

    assert outcomes(lambda: approve(proposal), reject) == [ProposalClosed, None]


def test_grants_beside_a_narrowing_permit_no_more_than_it() -> None:
    level = ConsentLevelFactory(pairs=[INFER, TRAIN])
    creators = [AssetFactory().creator for _ in range(4)]
    proposal = propose(level, pairs=[INFER])

    at_once(lambda: approve(proposal), *(partial(grant, creator, level) for creator in creators))

    found = ConsentGrant.objects.values_list("level_version__effective", flat=True)
    assert list(found) == [["asset.infer:research"]] * 4


def test_a_narrowing_waits_for_a_grant_under_way_and_takes_from_it() -> None:
    level = ConsentLevelFactory(pairs=[INFER, TRAIN])
    creator = AssetFactory().creator
    proposal = propose(level, pairs=[INFER])

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            statement = grant(creator, level)
            writer = pool.submit(apart(lambda: approve(proposal)))
            wait_until(somebody_waits)
            assert not writer.done()
        writer.result(PATIENCE_SECONDS)

    statement.level_version.refresh_from_db()
    assert statement.level_version.effective == ["asset.infer:research"]
    assert Creator.objects.get(id=creator.id).consent_epoch == 2
