"""The log's key changes: witnesses and monitors that know only the one before go on until it ends."""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command

from governance.audit.log.checkpoints import advance_log, newest_checkpoint, published_checkpoint
from governance.kernel import clock
from governance.keys.ring import ROTATION_OVERLAP, KeyPurpose, KeyRing
from governance.transparency.notes import NoteKey, open_note, parse_vkey
from tests.factories.audit import record_entries
from tests.factories.witnesses import RunningWitness, running_witness

pytestmark = pytest.mark.django_db


def log_keys() -> list[NoteKey]:
    out = StringIO()
    call_command("log_vkey", stdout=out)
    return [parse_vkey(line) for line in out.getvalue().splitlines()]


@pytest.fixture
def stopped(ring: KeyRing) -> Iterator[clock.ManualClock]:
    manual = clock.ManualClock(datetime.now(UTC))
    with clock.using(manual):
        manual.advance(seconds=1)
        yield manual


@pytest.fixture
def witness(tmp_path: Path, settings: LazySettings, stopped: clock.ManualClock) -> Iterator[RunningWitness]:
    """A witness that knows the log's first key only, and that has to cosign."""
    with running_witness(tmp_path / "witness", *(key.vkey for key in log_keys())) as running:
        described = {"name": running.witness.name, "url": running.witness.url, "vkey": running.witness.key.vkey}
        settings.ASSENT_WITNESSES, settings.ASSENT_WITNESS_QUORUM = [described], 1
        yield running


def advance() -> None:
    record_entries(1)
    advance_log()


def test_both_keys_sign_while_both_are_valid(ring: KeyRing, stopped: clock.ManualClock) -> None:
    [before] = log_keys()
    ring.rotate(purpose=KeyPurpose.CHECKPOINT)
    [_, after] = log_keys()
    advance()

    note = newest_checkpoint().note
    assert open_note(note=note, keys=[after, before]).verified == (after, before)
    assert open_note(note=note, keys=[before]).verified == (before,)


@pytest.mark.usefixtures("witness")
def test_a_witness_that_knows_the_old_key_goes_on_until_that_ends(ring: KeyRing, stopped: clock.ManualClock) -> None:
    advance()
    ring.rotate(purpose=KeyPurpose.CHECKPOINT)
    advance()
    assert published_checkpoint() == newest_checkpoint()

    stopped.advance(seconds=ROTATION_OVERLAP.total_seconds())
    advance()
    assert published_checkpoint().number == 2
    assert newest_checkpoint().number == 3


def test_a_revoked_key_signs_no_more(ring: KeyRing, stopped: clock.ManualClock) -> None:
    [before] = log_keys()
    old_id = ring.current(purpose=KeyPurpose.CHECKPOINT).key_id
    ring.rotate(purpose=KeyPurpose.CHECKPOINT)
    ring.revoke(key_id=old_id)
    advance()

    [after] = log_keys()
    assert open_note(note=newest_checkpoint().note, keys=[before, after]).verified == (after,)
