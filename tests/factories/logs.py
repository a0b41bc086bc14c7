"""A transparency log in memory, for tests of those who watch one: it signs what it is told to, lies too."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.transparency.merkle import leaf_hash
from governance.transparency.notes import COSIGNATURE_V1, ED25519, CheckpointBody, NoteKey, cosign, note_key, sign_note
from tests.factories.merkle import consistency_path, inclusion_path, tree_hash

ORIGIN = "log.example/ledger"
WITNESS_NAME = "witness.example/w1"


@dataclass(frozen=True)
class NoteSigner:
    """A name and a new key: a log or, cosigning, a witness."""

    name: str = ORIGIN
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    @property
    def log_key(self) -> NoteKey:
        return note_key(name=self.name, public=self.public, algorithm=ED25519)

    @property
    def witness_key(self) -> NoteKey:
        return note_key(name=self.name, public=self.public, algorithm=COSIGNATURE_V1)

    def sign(self, text: str) -> str:
        return sign_note(text=text, name=self.name, public=self.public, sign=self.private.sign)

    def cosign(self, text: str, *, at: int) -> str:
        return cosign(text=text, name=self.name, public=self.public, sign=self.private.sign, at=at)


@dataclass(frozen=True)
class ToyLog:
    """A log of entries `0`, `1`, ... of a history: two of different histories share a key and nothing else."""

    signer: NoteSigner = field(default_factory=NoteSigner)
    history: str = "true"

    def entries(self, size: int) -> list[bytes]:
        return [f"{self.history} {index}".encode() for index in range(size)]

    def leaves(self, size: int) -> list[bytes]:
        return [leaf_hash(entry) for entry in self.entries(size)]

    def root(self, size: int) -> bytes:
        return tree_hash(self.leaves(size))

    def text(self, size: int) -> str:
        return CheckpointBody(self.signer.name, size, self.root(size)).body_text()

    def note(self, size: int) -> str:
        return self.signer.sign(self.text(size))

    def consistency(self, first: int, second: int) -> list[bytes]:
        return consistency_path(first, self.leaves(second))

    def inclusion(self, index: int, size: int) -> list[bytes]:
        return inclusion_path(index, self.leaves(size))

    def submission(self, old: int, size: int) -> bytes:
        """Return the body of an honest `add-checkpoint` (c2sp.org/tlog-witness)."""
        return submission(old=old, proof=self.consistency(old, size) if old <= size else [], note=self.note(size))


def submission(*, old: int, proof: Sequence[bytes], note: str) -> bytes:
    """Return the body of any `add-checkpoint`."""
    lines = [f"old {old}", *(b64encode(each).decode() for each in proof)]
    return ("\n".join(lines) + "\n\n" + note).encode()
