"""Checkpoints for tests, signed by the key ring in force and written to the WORM store in force."""

import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import settings
from django.db import transaction

from governance.audit.choices import WormKind
from governance.audit.keeping.worm import store_object
from governance.audit.log.key_history import announce_keys
from governance.audit.log.log_reader import log_size, root_at
from governance.audit.models import Checkpoint, Cosignature
from governance.audit.types import SubjectRef
from governance.kernel import clock
from governance.keys.ring import KeyPurpose, key_ring
from governance.transparency.notes import COSIGNATURE_V1, CheckpointBody, cosign, sign_note, split_note, vkey_of


def make_checkpoint(*, size: int | None = None, **given: Any) -> Checkpoint:
    """Sign a checkpoint over the log as it is, or its first `size` entries; `given` replaces columns of the row."""
    announce_keys()
    size = log_size() if size is None else size
    number = Checkpoint.objects.filter(origin=settings.ASSENT_LOG_ORIGIN).count() + 1
    body = CheckpointBody(settings.ASSENT_LOG_ORIGIN, size, root_at(size))
    info = key_ring.get().current(purpose=KeyPurpose.CHECKPOINT)
    note = sign_note(
        text=body.body_text(),
        name=body.origin,
        public=load_pem_public_key(info.public_pem.encode()).public_bytes_raw(),
        sign=lambda message: key_ring.get().sign(purpose=KeyPurpose.CHECKPOINT, message=message).value,
    )
    key = f"checkpoints/{body.origin.replace('/', '_')}/{number:012}.txt"
    subject = SubjectRef("checkpoint", f"{number}")
    with transaction.atomic():
        reference = store_object(kind=WormKind.CHECKPOINT, subject=subject, key=key, data=note.encode())
    columns = {
        "origin": body.origin,
        "number": number,
        "size": size,
        "root_hash": body.root,
        "note": note,
        "key_id": info.key_id,
        "reference": reference,
    }
    return Checkpoint.objects.create(**(columns | given))


class TestWitness:
    """A witness that cosigns whatever it is shown."""

    __test__ = False

    def __init__(self, name: str) -> None:
        self.name = name
        self._private = Ed25519PrivateKey.generate()
        self._public = self._private.public_key().public_bytes_raw()

    @property
    def setting(self) -> dict[str, str]:
        """How it stands in ASSENT_WITNESSES."""
        vkey = vkey_of(name=self.name, public=self._public, algorithm=COSIGNATURE_V1)
        return {"name": self.name, "url": f"https://{self.name}", "vkey": vkey}

    def cosign(self, checkpoint: Checkpoint) -> Cosignature:
        text, _ = split_note(checkpoint.note)
        line = cosign(text=text, name=self.name, public=self._public, sign=self._private.sign, at=int(time.time()))
        return Cosignature.objects.create(checkpoint=checkpoint, witness=self.name, line=line, witnessed_at=clock.now())
