"""The slots of checkpoints in WORM storage: one for each number, written once.

The database is compared with the slots, so they are found by name alone, never through the database.
"""

import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from governance.audit.errors import LogDiverged, WormObjectAltered, WormObjectMissing
from governance.audit.ports import worm_store
from governance.kernel import clock
from governance.keys.ring import KeyAlgorithm, KeyPurpose, KeyUnavailable, PublicKeyInfo, key_ring
from governance.transparency.notes import (
    CheckpointBody,
    NoteInvalid,
    NoteKey,
    note_key,
    open_note,
    parse_checkpoint,
    sign_note,
)

_UNSAFE = re.compile(r"[^A-Za-z0-9.-]")


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint read from its slot, with its signature verified."""

    number: int
    note: str
    body: CheckpointBody
    key_id: str


def slot_key(*, origin: str, number: int) -> str:
    """Return the WORM key of checkpoint `number`, from 1, of the log `origin`."""
    return f"checkpoints/{_UNSAFE.sub('_', origin)}/{number:012}.txt"


def read_slot(*, origin: str, number: int) -> StoredCheckpoint | None:
    """Return the checkpoint in a slot, or None if the slot is free.

    Raises LogDiverged `checkpoint_altered` for content that is not a checkpoint of this installation, and what the
    WORM store raises when it does not answer.
    """
    key, store = slot_key(origin=origin, number=number), worm_store.get()
    try:
        found = store.find(key=key)
        if found is None:
            return None
        note = store.get(uri=found.uri, version_id=found.version_id).decode()
        return _opened(note, origin, number)
    except (WormObjectAltered, WormObjectMissing, NoteInvalid, UnicodeDecodeError) as error:
        message = f"What lies in WORM storage as {key} is not checkpoint {number} of {origin} as we signed it: {error}"
        raise LogDiverged(message, code="checkpoint_altered", details={"key": key, "number": number}) from error


def sign_checkpoint(body: CheckpointBody) -> StoredCheckpoint:
    """Sign a checkpoint; its number is 0 because it has no slot yet. Raises KeyUnavailable.

    The current key signs first. After a rotation the previous key also signs as long as it is valid, so that witnesses
    and monitors that only know that one continue: a note is valid if any known key signed it.
    """
    current = key_ring.get().current(purpose=KeyPurpose.CHECKPOINT)
    note = _signed(body, current)
    for before in _signers_besides(current):
        note += _signed(body, before).rpartition("\n\n")[2]
    return StoredCheckpoint(0, note, body, current.key_id)


def _signed(body: CheckpointBody, info: PublicKeyInfo) -> str:
    def sign(message: bytes) -> bytes:
        return key_ring.get().sign(purpose=KeyPurpose.CHECKPOINT, message=message, prefer=info.key_id).value

    return sign_note(text=body.body_text(), name=body.origin, public=_raw(info), sign=sign)


def _signers_besides(current: PublicKeyInfo) -> list[PublicKeyInfo]:
    now = clock.now()
    infos = [info for info in key_ring.get().public_keys() if info.purpose is KeyPurpose.CHECKPOINT and info != current]
    return [info for info in infos if info.in_window(now) and not info.revoked(now)]


def _opened(note: str, origin: str, number: int) -> StoredCheckpoint:
    keys = _log_keys(origin)
    opened = open_note(note=note, keys=list(keys))
    body = parse_checkpoint(opened.text)
    if body.origin != origin:
        raise NoteInvalid(f"It is a checkpoint of {body.origin!r}.")
    return StoredCheckpoint(number, note, body, keys[opened.verified[0]])


def _log_keys(origin: str) -> dict[NoteKey, str]:
    """Return every key that ever signed checkpoints, with its id: slots, not dates, decide what is valid."""
    infos = [info for info in key_ring.get().public_keys() if info.purpose is KeyPurpose.CHECKPOINT]
    signers = [info for info in infos if info.algorithm is KeyAlgorithm.ED25519]
    return {note_key(name=origin, public=_raw(info)): info.key_id for info in signers}


def _raw(info: PublicKeyInfo) -> bytes:
    public = load_pem_public_key(info.public_pem.encode("ascii"))
    if not isinstance(public, Ed25519PublicKey):
        raise KeyUnavailable(
            f"Key {info.key_id} cannot sign checkpoints: signed notes only support Ed25519. Rotate it."
        )
    return public.public_bytes_raw()
