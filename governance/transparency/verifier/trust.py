"""The trust file, `assent-trust/1`: which keys the verifier trusts, and for which part of the log.

Nothing proves the trust file itself; everything else is proven by it. So get it from somebody you trust, over another
channel than the receipts, and compare its SHA-256.
"""

from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from governance.kernel.canonical import sha256_hex
from governance.keys.pairs import PublicKey, key_id_of, public_pem_of
from governance.transparency.notes import COSIGNATURE_V1, ED25519, NoteInvalid, NoteKey, parse_vkey
from governance.transparency.verifier.reading import Unreadable, items, members, read_json, text, whole

FORMAT = "assent-trust/1"
#: Keys for other purposes (permits, bundles, checkpoints) never sign statements.
STATEMENT_PURPOSES = ("evidence", "receipt")
_RANGE = ("from_index", "until_index", "revoked_from_index")


@dataclass(frozen=True, slots=True)
class IndexRange:
    """The entries of the log at which a key counts: from `start` to before the first of `ends`."""

    start: int
    ends: tuple[int, ...]

    def allows(self, index: int) -> bool:
        """Return whether the key counts at the entry `index`."""
        return self.start <= index and all(index < end for end in self.ends)

    def __str__(self) -> str:
        return f"from entry {self.start} to entry {min(self.ends) - 1}" if self.ends else f"from entry {self.start} on"


@dataclass(frozen=True, slots=True)
class StatementKey:
    """A key that signs statements, of which predicates, and where in the log it counts."""

    key_id: str
    public: PublicKey
    predicates: frozenset[str]
    counts: IndexRange
    development: bool


@dataclass(frozen=True, slots=True)
class LogKey:
    """A key that signs checkpoints; a checkpoint of n entries stands at the place n - 1."""

    note_key: NoteKey
    counts: IndexRange


@dataclass(frozen=True, slots=True)
class TrustFile:
    """The keys to trust. `sha256` is that of the file's bytes, `threshold` how many witnesses must have cosigned."""

    sha256: str
    origin: str
    log_keys: tuple[LogKey, ...]
    keys: tuple[StatementKey, ...]
    witnesses: tuple[NoteKey, ...]
    threshold: int


def read_trust(data: bytes) -> TrustFile:
    """Read a trust file. Raises Unreadable, also when it contradicts itself."""
    names = ("format", "origin", "log_keys", "keys", "witnesses", "exported_at")
    document = members(read_json(data), names, "The trust file")
    if document["format"] != FORMAT:
        raise Unreadable(f"Its format is {document['format']!r}; this verifier reads {FORMAT!r}.")
    origin = text(document["origin"], "The origin")
    text(document["exported_at"], "exported_at")
    witnesses = members(document["witnesses"], ("threshold", "keys"), "The member 'witnesses'")
    trust = TrustFile(
        sha256=sha256_hex(data),
        origin=origin,
        log_keys=tuple(_log_key(each, origin) for each in items(document["log_keys"], "log_keys")),
        keys=tuple(_statement_key(each) for each in items(document["keys"], "keys")),
        witnesses=tuple(_note_key(each, COSIGNATURE_V1) for each in items(witnesses["keys"], "The witnesses' keys")),
        threshold=whole(witnesses["threshold"], "The threshold of witnesses"),
    )
    _require_different([each.key_id for each in trust.keys], "statement key")
    _require_different([each.note_key.public for each in trust.log_keys], "log key")
    # By the key and not by its name: one witness under two names would be counted twice.
    _require_different([each.public for each in trust.witnesses], "witness")
    if trust.threshold > len(trust.witnesses):
        raise Unreadable(f"It asks for {trust.threshold} witnesses and knows {len(trust.witnesses)}.")
    return trust


def _log_key(value: object, origin: str) -> LogKey:
    entry = members(value, ("vkey", "key_id", *_RANGE), "A log key")
    key = _note_key(entry["vkey"], ED25519)
    if key.name != origin:
        raise Unreadable(f"A log key has the name {key.name!r}, but the log is {origin!r}.")
    key_id = text(entry["key_id"], "The id of a log key")
    _require_id(key_id, Ed25519PublicKey.from_public_bytes(key.public), development=key_id.startswith("dev-"))
    return LogKey(note_key=key, counts=_range(entry))


def _statement_key(value: object) -> StatementKey:
    names = ("key_id", "algorithm", "purpose", "predicates", "public_pem", "development", *_RANGE)
    entry = members(value, names, "A statement key")
    if entry["purpose"] not in STATEMENT_PURPOSES:
        raise Unreadable(f"A key for {entry['purpose']!r} does not sign statements.")
    if not isinstance(entry["development"], bool):
        raise Unreadable("The member 'development' of a key is true or false.")
    key_id = text(entry["key_id"], "The id of a key")
    public = _public_key(text(entry["public_pem"], "A public key"), entry["algorithm"])
    _require_id(key_id, public, development=entry["development"])
    return StatementKey(
        key_id=key_id,
        public=public,
        predicates=frozenset(text(each, "A predicate") for each in items(entry["predicates"], "The predicates")),
        counts=_range(entry),
        development=entry["development"],
    )


def _public_key(pem: str, algorithm: object) -> PublicKey:
    try:
        public = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Unreadable("A public key is not a PEM text that can be read.") from error
    if not isinstance(public, Ed25519PublicKey | EllipticCurvePublicKey) or _algorithm_of(public) != algorithm:
        raise Unreadable(f"A public key is not one for {algorithm!r}, which its entry names.")
    if public_pem_of(public) != pem:
        raise Unreadable("A public key has more in its PEM text than the key.")
    return public


def _algorithm_of(public: PublicKey) -> str:
    if isinstance(public, Ed25519PublicKey):
        return "ed25519"
    return "es256" if isinstance(public.curve, SECP256R1) else public.curve.name


def _note_key(value: object, algorithm: int) -> NoteKey:
    try:
        key = parse_vkey(text(value, "A verifier key"))
    except NoteInvalid as error:
        raise Unreadable(error.message) from error
    if key.algorithm != algorithm:
        raise Unreadable(f"The verifier key of {key.name!r} is of type {key.algorithm}, not {algorithm}.")
    return key


def _range(entry: dict[str, object]) -> IndexRange:
    ends = [entry[name] for name in ("until_index", "revoked_from_index") if entry[name] is not None]
    return IndexRange(
        start=whole(entry["from_index"], "from_index"),
        ends=tuple(whole(each, "until_index or revoked_from_index") for each in ends),
    )


def _require_id(key_id: str, public: PublicKey, *, development: bool) -> None:
    if key_id_of(public, development=development) != key_id:
        raise Unreadable(f"The id {key_id!r} is not that of the key beside it.")


def _require_different(values: list[object], what: str) -> None:
    if len(set(values)) != len(values):
        raise Unreadable(f"It names a {what} twice.")
