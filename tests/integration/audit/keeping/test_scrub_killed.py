"""Scrubs, holds and extensions whose process is killed between two steps. Real processes, real SIGKILL."""

from datetime import timedelta
from uuid import UUID

import pytest

from governance.audit.choices import ScrubState
from governance.audit.evidence.anchoring import anchor_evidence
from governance.audit.keeping.extensions import extend_object
from governance.audit.keeping.holds import ask_release, release_hold, set_hold
from governance.audit.keeping.scrub import start_scrub, work_batch
from governance.audit.models import LegalHold, OutboxEntry, ScrubRun, WormReference
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.audit.types import Actor
from governance.audit.verification import verify_all
from tests.factories.audit import issued_evidence
from tests.processes import killed_at
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)

ADA, BOB = Actor("user", "1"), Actor("user", "2")


@pytest.fixture
def reference() -> WormReference:
    return anchor_evidence(evidence_id=issued_evidence().id)


def work(run_id: UUID) -> ScrubState:
    """Work on the scrub from where it is; return how it stands then."""
    done = ScrubRun.objects.get(pk=run_id).done
    work_batch(run_id=run_id, done=done, actor=ADA, seconds=30.0, most_bytes=1)
    return ScrubState(ScrubRun.objects.get(pk=run_id).state)


def scrubbed() -> ScrubRun:
    run = start_scrub(actor=ADA)
    eventually(lambda: work(run.pk), ScrubState.FINISHED)
    run.refresh_from_db()
    return run


def is_held(store: FilesystemWormStore, reference: WormReference) -> bool:
    return store.head(uri=reference.uri, version_id=reference.version_id).held


@pytest.mark.parametrize(
    "step",
    [
        "governance.audit.keeping.scrub.record_faults",
        "governance.audit.keeping.scrub._hold_faults",
        "governance.audit.keeping.scrub.clock.now",
    ],
)
def test_another_worker_reads_what_a_killed_one_was_reading(step: str, reference: WormReference) -> None:
    for _ in range(2):
        anchor_evidence(evidence_id=issued_evidence().id)
    run = start_scrub(actor=ADA)
    work(run.pk)

    with killed_at(step, lambda: work(run.pk)):
        assert ScrubRun.objects.get(pk=run.pk).done == 1

    eventually(lambda: work(run.pk), ScrubState.FINISHED)
    run.refresh_from_db()
    assert (run.done, run.total, run.faults) == (3, 3, [])
    assert run.bytes_read == sum(WormReference.objects.values_list("size", flat=True))


def test_killed_while_setting_a_hold_the_object_is_held_for_nobody_and_that_is_named(
    store: FilesystemWormStore, reference: WormReference
) -> None:
    with killed_at(
        "governance.audit.keeping.holds.worm_store.get", lambda: set_hold(reference=reference, actor=ADA, reason="Case")
    ):
        assert not LegalHold.objects.exists()

    assert not is_held(store, reference)
    store.hold(uri=reference.uri, version_id=reference.version_id)  # as a store that had taken it already
    assert [each["check"] for each in scrubbed().faults] == ["hold_unknown"]
    assert set_hold(reference=reference, actor=ADA, reason="Case").active
    assert scrubbed().faults == []


def test_killed_before_the_store_lets_go_the_next_scrub_completes_it(
    store: FilesystemWormStore, reference: WormReference
) -> None:
    hold = set_hold(reference=reference, actor=ADA, reason="Case")
    ask_release(hold=hold, actor=ADA, reason="Closed")

    with killed_at(
        "governance.audit.stores.filesystem.FilesystemWormStore.release_hold",
        lambda: release_hold(hold=hold, actor=BOB),
    ):
        assert not LegalHold.objects.get().active
    assert is_held(store, reference)

    assert scrubbed().faults == []
    assert not is_held(store, reference)


def test_killed_between_store_and_database_an_extension_is_made_again(
    store: FilesystemWormStore, reference: WormReference
) -> None:
    until = reference.retain_until + timedelta(days=10)

    def extend() -> WormReference:
        return extend_object(reference=reference, until=until, actor=ADA)

    with killed_at("governance.audit.keeping.extensions.kept_until", extend):
        assert WormReference.objects.get().retain_until == reference.retain_until
    assert store.head(uri=reference.uri, version_id=reference.version_id).retain_until == until
    assert verify_all().faults == ()

    assert extend().retain_until == until == WormReference.objects.get().retain_until
    assert OutboxEntry.objects.filter(kind="worm.extended").count() == 1
