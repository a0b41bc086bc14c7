"""A log that cannot be brought back is succeeded by one under another name."""

import json
from base64 import b64encode
from pathlib import Path

import pytest
from django.conf import LazySettings

from governance.audit.errors import LogHalted, SuccessionInvalid
from governance.audit.log.checkpoints import (
    advance_log,
    published_checkpoint,
)
from governance.audit.log.log_alarms import halted
from governance.audit.log.log_reader import log_size
from governance.audit.log.succession import last_in_storage, succeed
from governance.audit.models import Checkpoint, LedgerEntry, OutboxEntry
from tests.factories.audit import record_entries
from tests.log_damage import OPERATOR, ORIGIN, assert_alarm, forget_entries, forget_rows, slot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_log")]


def test_a_log_under_another_name_needs_a_succession(settings: LazySettings) -> None:
    advance_log()
    settings.ASSENT_LOG_ORIGIN = "assent.local/second"

    assert_alarm("log_origin_changed", "audit succeed")


def test_a_log_that_cannot_be_brought_back_is_succeeded(settings: LazySettings) -> None:
    for _ in range(5):
        record_entries(2)
        advance_log()
    last = Checkpoint.objects.get(number=5)
    forget_rows(from_number=2)
    forget_entries(from_index=Checkpoint.objects.get(number=1).size)
    with pytest.raises(LogHalted):
        advance_log()
    surviving = log_size()
    settings.ASSENT_LOG_ORIGIN = "assent.local/second"

    told = succeed(old_origin=ORIGIN, reason="database restored from the backup of Monday", actor=OPERATOR)

    assert told is not None
    assert (told.number, told.body.size) == (5, last.size)
    assert halted() is None
    assert advance_log().lag_entries == 0
    entry = LedgerEntry.objects.get(kind="log.succeeded")
    assert (entry.subject_type, entry.subject_id) == ("log", "assent.local/second")
    assert json.loads(bytes(entry.body))["data"] == {
        "old_origin": ORIGIN,
        "reason": "database restored from the backup of Monday",
        "checkpoint": {"number": 5, "size": last.size, "root": b64encode(bytes(last.root_hash)).decode()},
    }
    published = published_checkpoint()
    assert published is not None
    assert (published.origin, published.number) == ("assent.local/second", 1)
    assert published.size > surviving


def test_a_log_of_which_nothing_is_left_can_be_succeeded(settings: LazySettings) -> None:
    settings.ASSENT_LOG_ORIGIN = "assent.local/second"

    assert succeed(old_origin=ORIGIN, reason="storage lost", actor=OPERATOR) is None
    assert json.loads(bytes(OutboxEntry.objects.get().body))["data"]["checkpoint"] is None


@pytest.mark.parametrize("count", [0, 1, 2, 3, 6])
def test_the_last_slot_is_found(count: int) -> None:
    for _ in range(count):
        record_entries(1)
        advance_log()

    last = last_in_storage(ORIGIN)
    assert (last.number if last else 0) == count


@pytest.mark.parametrize(("spoiled", "last"), [((4,), 3), ((2,), 4), ((1, 2, 3, 4), 0)])
def test_nobody_keeps_a_log_from_being_succeeded(
    spoiled: tuple[int, ...], last: int, worm_root: Path, settings: LazySettings
) -> None:
    for _ in range(4):
        record_entries(1)
        advance_log()
    for number in spoiled:
        slot(worm_root, number).chmod(0o644)
        slot(worm_root, number).write_bytes(b"spoiled")
    settings.ASSENT_LOG_ORIGIN = "assent.local/second"

    told = succeed(old_origin=ORIGIN, reason="slots spoiled", actor=OPERATOR)

    assert (told.number if told else 0) == last
    data = json.loads(bytes(OutboxEntry.objects.get(kind="log.succeeded").body))["data"]
    assert data.get("spoiled_slots", 0) == 4 - last
    assert advance_log().lag_entries == 0


def test_a_succession_that_is_not_valid_is_refused(settings: LazySettings) -> None:
    advance_log()
    with pytest.raises(SuccessionInvalid, match="another name"):
        succeed(old_origin=ORIGIN, reason="because", actor=OPERATOR)
    with pytest.raises(SuccessionInvalid, match="in use already"):
        succeed(old_origin="older.example", reason="because", actor=OPERATOR)
    settings.ASSENT_LOG_ORIGIN = "assent.local/second"
    for reason in (" ", "x" * 301):
        with pytest.raises(SuccessionInvalid, match="characters"):
            succeed(old_origin=ORIGIN, reason=reason, actor=OPERATOR)
    succeed(old_origin=ORIGIN, reason="once", actor=OPERATOR)
    with pytest.raises(SuccessionInvalid, match="in use already"):
        succeed(old_origin=ORIGIN, reason="twice", actor=OPERATOR)
