from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from governance.audit.errors import HoldActive, HoldConflict, WormUnavailable
from governance.audit.evidence.anchoring import anchor_evidence
from governance.audit.keeping.holds import ask_release, release_hold, set_hold, withdraw_release
from governance.audit.models import LegalHold, OutboxEntry, WormReference
from governance.audit.recording.entries import entry_data
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.audit.types import Actor
from governance.kernel import clock
from governance.kernel.canonical import sha256_hex
from governance.kernel.clock import ManualClock
from tests.factories.audit import issued_evidence

pytestmark = pytest.mark.django_db

ADA, BOB, EVE = (Actor("user", name) for name in ("1", "2", "3"))
REASON = "Case 12/2026"


@pytest.fixture
def reference() -> WormReference:
    return anchor_evidence(evidence_id=issued_evidence().id)


@pytest.fixture
def hold(reference: WormReference) -> LegalHold:
    return set_hold(reference=reference, actor=ADA, reason=REASON)


def is_held(store: FilesystemWormStore, reference: WormReference) -> bool:
    return store.head(uri=reference.uri, version_id=reference.version_id).held


def entries() -> list[tuple[str, dict[str, Any]]]:
    rows = OutboxEntry.objects.filter(kind__startswith="worm.").order_by("id")
    return [(row.kind, dict(entry_data(bytes(row.body)))) for row in rows]


def test_one_person_sets_a_hold(store: FilesystemWormStore, reference: WormReference, hold: LegalHold) -> None:
    assert is_held(store, reference)
    assert (hold.active, hold.set_by, hold.reason) == (True, "user:1", REASON)
    assert entries() == [
        (
            "worm.held",
            {
                "hold": str(hold.pk),
                "uri": reference.uri,
                "version_id": reference.version_id,
                "reason_sha256": sha256_hex(REASON.encode()),
            },
        )
    ]
    with pytest.raises(HoldConflict, match="already"):
        set_hold(reference=reference, actor=BOB, reason="Another case")


def test_a_held_object_outlasts_its_retention(store: FilesystemWormStore, hold: LegalHold) -> None:
    reference = hold.reference

    with clock.using(ManualClock(reference.retain_until)), pytest.raises(HoldActive):
        store.delete(uri=reference.uri, version_id=reference.version_id)


def test_two_different_people_release_it(
    store: FilesystemWormStore, hold: LegalHold, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    ask_release(hold=hold, actor=ADA, reason="Case closed")
    with pytest.raises(HoldConflict, match="second person"):
        release_hold(hold=hold, actor=ADA)
    assert is_held(store, hold.reference)

    with django_capture_on_commit_callbacks(execute=True):
        released = release_hold(hold=hold, actor=BOB)
        assert is_held(store, hold.reference)  # the store lets go last

    assert not is_held(store, hold.reference)
    assert (released.active, released.release_asked_by, released.released_by) == (False, "user:1", "user:2")
    assert [kind for kind, _ in entries()] == ["worm.held", "worm.hold_release_asked", "worm.hold_released"]
    assert entries()[-1][1]["asked_by"] == "user:1"


def test_a_released_object_can_be_held_again(hold: LegalHold) -> None:
    ask_release(hold=hold, actor=ADA, reason="Closed")
    release_hold(hold=hold, actor=BOB)

    assert set_hold(reference=hold.reference, actor=EVE, reason="Opened again").active


def test_a_hold_set_before_the_store_releases_the_previous_one_stays(
    store: FilesystemWormStore, hold: LegalHold, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    ask_release(hold=hold, actor=ADA, reason="Closed")
    with django_capture_on_commit_callbacks(execute=True):
        release_hold(hold=hold, actor=BOB)
        set_hold(reference=hold.reference, actor=EVE, reason="Opened again")

    assert is_held(store, hold.reference)


def test_who_asked_may_take_it_back(hold: LegalHold) -> None:
    with pytest.raises(HoldConflict, match="Nobody asked"):
        withdraw_release(hold=hold, actor=ADA)
    ask_release(hold=hold, actor=ADA, reason="Closed")
    with pytest.raises(HoldConflict, match="Somebody asked"):
        ask_release(hold=hold, actor=BOB, reason="Closed")

    kept = withdraw_release(hold=hold, actor=EVE)

    assert (kept.release_asked_by, kept.release_asked_at, kept.release_reason) == ("", None, "")
    with pytest.raises(HoldConflict, match="Nobody asked"):
        release_hold(hold=hold, actor=BOB)
    assert entries()[-1][0] == "worm.hold_release_withdrawn"


@pytest.mark.parametrize("step", [lambda **given: ask_release(reason="x", **given), release_hold, withdraw_release])
def test_a_released_hold_stays_so(hold: LegalHold, step: Callable[..., LegalHold]) -> None:
    ask_release(hold=hold, actor=ADA, reason="Closed")
    release_hold(hold=hold, actor=BOB)

    with pytest.raises(HoldConflict, match="released already"):
        step(hold=hold, actor=EVE)


def test_a_store_that_does_not_take_the_hold_leaves_none(
    reference: WormReference, store: FilesystemWormStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(**given: str) -> None:
        raise WormUnavailable("down")

    monkeypatch.setattr(store, "hold", down)

    with pytest.raises(WormUnavailable):
        set_hold(reference=reference, actor=ADA, reason=REASON)
    assert not LegalHold.objects.exists()
    assert entries() == []


def test_the_database_itself_wants_two_people(hold: LegalHold) -> None:
    ask_release(hold=hold, actor=ADA, reason="Closed")

    with pytest.raises(IntegrityError, match="hold_released_by_two"), transaction.atomic():
        LegalHold.objects.update(active=False, released_by="user:1", released_at=clock.now())
