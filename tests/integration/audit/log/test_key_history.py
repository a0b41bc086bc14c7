"""From which place in the log to which a key counts, told by entries of the log."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance.audit.errors import KeyHistoryAltered
from governance.audit.log.key_history import CLOCK_TOLERANCE, KeyRange, announce_keys, key_ranges
from governance.audit.log.sequencer import sequence_pending
from governance.audit.models import OutboxEntry
from governance.audit.recording.entries import entry_data
from governance.audit.types import SubjectRef
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.keys.ring import ROTATION_OVERLAP, KeyPurpose, KeyRing
from tests.factories.audit import record_entries, record_loose

pytestmark = pytest.mark.django_db

OVERLAP = ROTATION_OVERLAP.total_seconds()


@pytest.fixture(autouse=True)
def stopped(ring: KeyRing) -> Iterator[ManualClock]:
    manual = ManualClock(clock.now() + CLOCK_TOLERANCE)
    with clock.using(manual):
        yield manual


def grow(count: int, manual: ManualClock, *, minutes: float = 10) -> None:
    """Let the log grow by `count` entries, well apart in time from what comes next."""
    record_entries(count)
    sequence_pending()
    manual.advance(seconds=minutes * 60)


def place(key_id: str) -> KeyRange:
    return next(each for each in key_ranges() if each.key_id == key_id)


def signer(ring: KeyRing, purpose: KeyPurpose = KeyPurpose.RECEIPT) -> str:
    return ring.current(purpose=purpose).key_id


def test_every_key_is_announced_once_and_counts_from_the_beginning_of_an_empty_log(ring: KeyRing) -> None:
    assert announce_keys() == len(KeyPurpose)
    assert announce_keys() == 0
    sequence_pending()
    assert announce_keys() == 0
    found = key_ranges()
    assert [each.key_id for each in found] == [info.key_id for info in ring.public_keys()]
    assert {(each.from_index, each.until_index, each.revoked_from_index) for each in found} == {(0, None, None)}
    assert [each.public_pem for each in found] == [info.public_pem for info in ring.public_keys()]


def test_nothing_to_say_costs_two_queries_and_no_lock() -> None:
    announce_keys()
    sequence_pending()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        announce_keys()
    assert len(queries) == 2


def test_a_rotated_key_takes_over_without_a_gap(ring: KeyRing, stopped: ManualClock) -> None:
    announce_keys()
    grow(3, stopped)
    old = signer(ring)
    new = ring.rotate(purpose=KeyPurpose.RECEIPT).key_id
    assert announce_keys() == 1
    known = len(ring.public_keys()) - 1 + 3  # the first announcements and three entries
    assert place(new).from_index == known
    assert place(old).until_index is None
    assert place(old).allows(known)
    assert place(new).allows(known)


def test_an_expired_key_ends_at_the_size_of_the_log(ring: KeyRing, stopped: ManualClock) -> None:
    announce_keys()
    grow(3, stopped)
    old = signer(ring)
    ring.rotate(purpose=KeyPurpose.RECEIPT)
    announce_keys()
    stopped.advance(seconds=OVERLAP - 1)
    assert announce_keys() == 0
    grow(2, stopped)
    assert announce_keys() == 1
    ended = place(old)
    size = len(KeyPurpose) + 3 + 1 + 2
    assert ended.until_index == size
    assert ended.allows(size - 1)
    assert not ended.allows(size)
    assert announce_keys() == 0


def test_an_old_key_does_not_end_while_an_entry_of_its_time_waits(ring: KeyRing, stopped: ManualClock) -> None:
    announce_keys()
    sequence_pending()
    old = signer(ring)
    ring.rotate(purpose=KeyPurpose.RECEIPT)
    announce_keys()
    record_entries(1)
    stopped.advance(seconds=OVERLAP + 1)
    assert announce_keys() == 0
    sequence_pending()
    assert announce_keys() == 1
    assert place(old).until_index == len(KeyPurpose) + 2


def test_a_revoked_key_counts_up_to_what_the_log_held_then(ring: KeyRing, stopped: ManualClock) -> None:
    announce_keys()
    grow(4, stopped)
    stolen_at = clock.now()
    stopped.advance(seconds=1)
    grow(2, stopped)
    key_id = signer(ring)
    ring.revoke(key_id=key_id, since=stolen_at)
    assert announce_keys() == 1
    revoked = place(key_id)
    assert revoked.revoked_from_index == len(KeyPurpose) + 4
    assert revoked.allows(len(KeyPurpose) + 3)
    assert not revoked.allows(len(KeyPurpose) + 4)
    assert announce_keys() == 0


def test_a_revocation_moves_to_an_earlier_place_and_never_back(ring: KeyRing, stopped: ManualClock) -> None:
    announce_keys()
    grow(1, stopped)
    early = clock.now()
    stopped.advance(seconds=1)
    grow(2, stopped)
    key_id = signer(ring)
    ring.revoke(key_id=key_id)
    announce_keys()
    late = place(key_id).revoked_from_index
    ring.revoke(key_id=key_id, since=early)
    assert announce_keys() == 1
    assert late == len(KeyPurpose) + 3
    assert place(key_id).revoked_from_index == len(KeyPurpose) + 1
    ring.revoke(key_id=key_id)
    assert announce_keys() == 0


def test_a_key_that_ended_and_was_revoked_before_it_was_announced_is_reported_completely(
    ring: KeyRing, stopped: ManualClock
) -> None:
    old = signer(ring)
    ring.rotate(purpose=KeyPurpose.RECEIPT)
    ring.revoke(key_id=old)
    stopped.advance(seconds=OVERLAP)
    assert announce_keys() == len(KeyPurpose) + 1 + 2
    told = place(old)
    assert (told.from_index, told.until_index, told.revoked_from_index) == (0, 0, 0)
    assert not told.allows(0)


def test_a_key_may_be_younger_than_what_it_signed_by_the_difference_of_two_clocks(
    ring: KeyRing, stopped: ManualClock
) -> None:
    announce_keys()
    grow(1, stopped)
    record_entries(5)
    sequence_pending()
    stopped.advance(seconds=1)
    new = ring.rotate(purpose=KeyPurpose.RECEIPT).key_id
    announce_keys()
    assert place(new).from_index == len(KeyPurpose) + 1


def test_a_checkpoint_key_counts_from_the_last_checkpoint_before_it(ring: KeyRing, stopped: ManualClock) -> None:
    announce_keys()
    grow(3, stopped)
    new = ring.rotate(purpose=KeyPurpose.CHECKPOINT).key_id
    announce_keys()
    assert place(new).from_index == 0


def test_of_two_announcements_the_first_counts(ring: KeyRing) -> None:
    announce_keys()
    again = OutboxEntry.objects.filter(kind="key.announced").first()
    data = {**entry_data(bytes(again.body)), "from_index": 77}
    record_loose("key.announced", subject=SubjectRef("key", again.subject_id), data=data)
    assert place(again.subject_id).from_index == 0


@pytest.mark.parametrize("kind", ["key.announced", "key.retired", "key.revoked"])
def test_an_entry_about_a_key_that_says_nothing_is_refused(kind: str) -> None:
    record_loose(kind, subject=SubjectRef("key", "abc"))
    with pytest.raises(KeyHistoryAltered, match="about key abc was altered"):
        key_ranges()


def test_other_entries_about_a_key_are_let_be() -> None:
    record_loose("key.looked_at", subject=SubjectRef("key", "abc"))
    assert key_ranges() == []


@pytest.mark.parametrize(("index", "allowed"), [(4, False), (5, True), (9, True), (10, False), (12, False)], ids=str)
def test_a_range_is_half_open(index: int, allowed: bool) -> None:
    announce_keys()
    (first, *_) = key_ranges()
    both = {"from_index": 5, "until_index": 12, "revoked_from_index": 10}
    about = {name: getattr(first, name) for name in ("key_id", "algorithm", "purpose", "public_pem", "development")}
    assert KeyRange(**about, **both).allows(index) is allowed


def test_the_tolerance_is_below_the_overlap_of_a_rotation() -> None:
    assert timedelta(0) < CLOCK_TOLERANCE < ROTATION_OVERLAP
