"""What befalls a log behind the application's back: rows lost, forged or set back, and how the alarm is told."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from governance.audit.errors import LogHalted
from governance.audit.log.checkpoint_slots import slot_key
from governance.audit.log.checkpoints import advance_log
from governance.audit.log.log_alarms import ensure_running
from governance.audit.log.log_reader import log_size
from governance.audit.models import Checkpoint, LedgerEntry, LogAlarm, LogTile, OutboxEntry, TreeHead, WormReference
from governance.audit.types import Actor
from governance.keys.ring import KeyPurpose, KeyRing
from governance.transparency.merkle import Frontier, leaf_hash
from governance.transparency.notes import CheckpointBody, sign_note
from tests.factories.audit import record_entries
from tests.history import guards_lifted

ORIGIN = "assent.local/log"
OPERATOR = Actor("system", "command")


def slot(worm_root: Path, number: int, origin: str = ORIGIN) -> Path:
    return worm_root / "objects" / slot_key(origin=origin, number=number)


def forget_rows(*, from_number: int) -> None:
    """Let the database lose checkpoints, as when their signer was killed or a backup was restored."""
    with guards_lifted():
        lost = Checkpoint.objects.filter(number__gte=from_number)
        references = list(lost.values_list("reference_id", flat=True))
        lost._raw_delete(using="default")
        WormReference.objects.filter(id__in=references)._raw_delete(using="default")


def forget_entries(*, from_index: int) -> None:
    """Let the database lose entries with all that was built over them."""
    with guards_lifted():
        LedgerEntry.objects.filter(index__gte=from_index)._raw_delete(using="default")
        TreeHead.objects.filter(size__gt=from_index)._raw_delete(using="default")


def rebuild_tree() -> None:
    """Make hashes, tiles and tree head over the entries' bytes anew, as a careful forger would."""
    leaves = [leaf_hash(bytes(body)) for body in LedgerEntry.objects.order_by("index").values_list("body", flat=True)]
    tree = Frontier().extended(leaves)
    with guards_lifted():
        for index, leaf in enumerate(leaves):
            LedgerEntry.objects.filter(index=index).update(leaf_hash=leaf)
        for head in TreeHead.objects.all():
            part = Frontier().extended(leaves[: head.size])
            TreeHead.objects.filter(size=head.size).update(root_hash=part.root(), frontier=part.to_bytes())
        for tile in LogTile.objects.filter(level=0):
            part = leaves[tile.number * 256 : (tile.number + 1) * 256]
            root = Frontier().extended(part).root()
            LogTile.objects.filter(id=tile.id).update(hashes=b"".join(part), root=root)
    assert tree.size == log_size()


def assert_alarm(code: str, match: str) -> None:
    """The next round stops the log with that alarm; the rounds after do nothing, and nothing is released."""
    published = Checkpoint.objects.count()
    with pytest.raises(LogHalted, match=match) as caught:
        advance_log()
    assert caught.value.details == {"alarm": code}
    assert LogAlarm.objects.get(resolved_at=None).code == code
    record_entries(1)
    waiting = OutboxEntry.objects.count()
    status = advance_log()
    assert status.alarm is not None
    assert status.waiting == waiting
    assert Checkpoint.objects.count() == published
    with pytest.raises(LogHalted, match="audit status"):
        ensure_running()


def public_of(pem: str) -> bytes:
    public: Any = load_pem_public_key(pem.encode())
    return bytes(public.public_bytes_raw())


def signed(ring: KeyRing, body: CheckpointBody) -> str:
    """Sign with the ring's own key, as whoever has taken hold of it can."""

    def sign(message: bytes) -> bytes:
        return ring.sign(purpose=KeyPurpose.CHECKPOINT, message=message).value

    public = public_of(ring.current(purpose=KeyPurpose.CHECKPOINT).public_pem)
    return sign_note(text=body.body_text(), name=ORIGIN, public=public, sign=sign)
