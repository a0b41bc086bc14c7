"""Signed notes, checkpoints and cosignatures: texts that carry signatures of named keys.

The formats are c2sp.org/signed-note, c2sp.org/tlog-checkpoint and c2sp.org/tlog-cosignature, as Go's checksum database
and the public witnesses use them. Nothing in this module knows Django, the network or private keys.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from governance.kernel import strict_base64
from governance.kernel.errors import InvalidInput
from governance.transparency.merkle import HASH_BYTES

#: Signature types (c2sp.org/signed-note, "Signature types").
ED25519 = 0x01
COSIGNATURE_V1 = 0x04
PUBLIC_BYTES = 32
SIGNATURE_BYTES = 64
KEY_HASH_BYTES = 4
#: Far more than our notes need, and enough for the 16 signatures that readers have to accept.
MAX_NOTE_BYTES = 64 * 1024
MAX_SIGNATURES = 64
MAX_NUMBER = 2**63 - 1
_TIME_BYTES = 8
_DASH = "\u2014"
_VKEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class NoteInvalid(InvalidInput):
    """A note, a verifier key, a checkpoint or a cosignature is malformed, or not as it was signed."""

    code = "note_invalid"


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key that signs notes: `algorithm` is ED25519 or COSIGNATURE_V1, `key_hash` the four bytes of its id."""

    name: str
    key_hash: bytes
    algorithm: int
    public: bytes

    @property
    def vkey(self) -> str:
        """The key as one line of text (c2sp.org/signed-note, "Verifier keys")."""
        return f"{self.name}+{self.key_hash.hex()}+{strict_base64.encode(bytes([self.algorithm]) + self.public)}"


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One signature below a note: `signature` is what follows the four bytes of the key hash."""

    name: str
    key_hash: bytes
    signature: bytes

    def to_text(self) -> str:
        """Return the line without its newline."""
        return f"{_DASH} {self.name} {strict_base64.encode(self.key_hash + self.signature)}"


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note whose signatures were checked: its text, the keys that signed it, each once, and all its lines."""

    text: str
    verified: tuple[NoteKey, ...]
    lines: tuple[SignatureLine, ...]


@dataclass(frozen=True, slots=True)
class CheckpointBody:
    """What a checkpoint says: which log, how many entries, and the root hash of their tree."""

    origin: str
    size: int
    root: bytes

    def body_text(self) -> str:
        """Return the text that is signed: three lines, each with its newline (c2sp.org/tlog-checkpoint)."""
        return f"{self.origin}\n{self.size}\n{strict_base64.encode(self.root)}\n"


def note_key(*, name: str, public: bytes, algorithm: int = ED25519) -> NoteKey:
    """Return the key of that name; its hash is SHA-256(name || 0x0A || algorithm || public)[:4]. Raises NoteInvalid."""
    _require_name(name)
    _utf8(name)
    if algorithm not in (ED25519, COSIGNATURE_V1):
        raise NoteInvalid(f"Keys of type {algorithm} are not supported: 1 is Ed25519, 4 a witness's Ed25519 key.")
    if len(public) != PUBLIC_BYTES:
        raise NoteInvalid(f"An Ed25519 public key has {PUBLIC_BYTES} bytes, not {len(public)}.")
    material = name.encode() + b"\n" + bytes([algorithm]) + public
    key_hash = hashlib.sha256(material).digest()[:KEY_HASH_BYTES]
    return NoteKey(name=name, key_hash=key_hash, algorithm=algorithm, public=public)


def parse_vkey(text: str) -> NoteKey:
    """Read `name+hash+base64(type || key)`. Raises NoteInvalid, also when the hash is not that of the key."""
    found = _VKEY.fullmatch(text)
    if found is None:
        raise NoteInvalid("This is not a verifier key: a name, eight hexadecimal digits and base64, joined by '+'.")
    material = _decoded(found[3])
    key = note_key(name=found[1], public=material[1:], algorithm=material[0])
    if key.key_hash.hex() != found[2]:
        raise NoteInvalid(f"The verifier key of {found[1]!r} does not have the hash that it states.")
    return key


def vkey_of(*, name: str, public: bytes, algorithm: int = ED25519) -> str:
    """Return the verifier key as text. Raises NoteInvalid for a name or key that cannot be one."""
    return note_key(name=name, public=public, algorithm=algorithm).vkey


def signature_line(*, name: str, key_hash: bytes, signature: bytes) -> str:
    """Return one signature line with its newline."""
    return SignatureLine(name, key_hash, signature).to_text() + "\n"


def sign_note(*, text: str, name: str, public: bytes, sign: Callable[[bytes], bytes]) -> str:
    """Return the whole note: `text`, an empty line, and the Ed25519 signature that `sign` makes over the text.

    Raises NoteInvalid for a text that cannot be signed, or a signature that `public` does not verify.
    """
    _require_text(text)
    key = note_key(name=name, public=public)
    signature = sign(text.encode())
    if not _is_signed(key.public, text.encode(), signature):
        raise NoteInvalid(f"What signs for {name!r} does not belong to the public key that was given.")
    return f"{text}\n{signature_line(name=name, key_hash=key.key_hash, signature=signature)}"


def split_note(note: str) -> tuple[str, tuple[SignatureLine, ...]]:
    """Return the text of a note and its signature lines, nothing verified. Raises NoteInvalid."""
    if len(_utf8(note)) > MAX_NOTE_BYTES:
        raise NoteInvalid(f"The note is longer than {MAX_NOTE_BYTES} bytes.")
    text, separator, below = note.rpartition("\n\n")
    if not separator or not below.endswith("\n"):
        raise NoteInvalid("This is not a signed note: a text, an empty line, and lines with signatures.")
    text += "\n"
    _require_text(text)
    lines = tuple(parse_signature_line(line) for line in below[:-1].split("\n"))
    if len(lines) > MAX_SIGNATURES:
        raise NoteInvalid(f"The note has {len(lines)} signatures; at most {MAX_SIGNATURES} are accepted.")
    return text, lines


def parse_signature_line(line: str) -> SignatureLine:
    """Read one signature line, without its newline. Raises NoteInvalid."""
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != _DASH:
        raise NoteInvalid("A signature line begins with an em dash (U+2014) and a space.")
    _require_name(name)
    data = _decoded(encoded)
    if len(data) <= KEY_HASH_BYTES:
        raise NoteInvalid(f"The signature of {name!r} is too short to be one.")
    return SignatureLine(name, data[:KEY_HASH_BYTES], data[KEY_HASH_BYTES:])


def open_note(*, note: str, keys: Sequence[NoteKey]) -> OpenedNote:
    """Check a note against the keys that are known; signatures of others are ignored, as the format demands.

    Raises NoteInvalid when a known key's signature is wrong, whatever the others say, and when no known key signed.
    """
    text, lines = split_note(note)
    known = {(key.name, key.key_hash): key for key in keys}
    verified: dict[NoteKey, None] = {}
    for line in lines:
        key = known.get((line.name, line.key_hash))
        if key is None:
            continue
        if not _is_line_signed(key, text, line):
            raise NoteInvalid(f"The signature of {key.name!r} does not fit the note.")
        verified[key] = None
    if not verified:
        raise NoteInvalid("The note is not signed by any key that is trusted.")
    return OpenedNote(text=text, verified=tuple(verified), lines=lines)


def parse_checkpoint(text: str) -> CheckpointBody:
    """Read the text of a checkpoint. Raises NoteInvalid; lines of extension are refused, our logs write none."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0]:
        raise NoteInvalid("This is not a checkpoint: an origin, a size and a root hash, one line each.")
    origin, size, root_text = lines[:3]
    if not _NUMBER.fullmatch(size) or int(size) > MAX_NUMBER:
        raise NoteInvalid(f"{size!r} is not the size of a log.")
    root = _decoded(root_text)
    if len(root) != HASH_BYTES:
        raise NoteInvalid(f"A root hash has {HASH_BYTES} bytes, not {len(root)}.")
    return CheckpointBody(origin=origin, size=int(size), root=root)


def cosign(*, text: str, name: str, public: bytes, sign: Callable[[bytes], bytes], at: int) -> str:
    """Return a witness's signature line, with its newline, for the checkpoint `text` at POSIX time `at`.

    Raises NoteInvalid as `sign_note` does (c2sp.org/tlog-cosignature, "Ed25519 signed message").
    """
    parse_checkpoint(text)
    key = note_key(name=name, public=public, algorithm=COSIGNATURE_V1)
    if not 0 < at <= MAX_NUMBER:
        raise NoteInvalid(f"{at} is not a time in seconds since 1970.")
    message = _cosigned_message(text, at)
    signature = sign(message)
    if not _is_signed(key.public, message, signature):
        raise NoteInvalid(f"What signs for {name!r} does not belong to the public key that was given.")
    return signature_line(name=name, key_hash=key.key_hash, signature=at.to_bytes(_TIME_BYTES, "big") + signature)


def verify_cosignature(*, text: str, line: str, key: NoteKey) -> int:
    """Return the POSIX time at which the witness with `key` signed the checkpoint `text`. Raises NoteInvalid.

    `line` may end in its newline.
    """
    parsed = parse_signature_line(line.removesuffix("\n"))
    if key.algorithm != COSIGNATURE_V1 or (parsed.name, parsed.key_hash) != (key.name, key.key_hash):
        raise NoteInvalid(f"The line is not a cosignature of {key.name!r}.")
    if not _is_line_signed(key, text, parsed):
        raise NoteInvalid(f"The cosignature of {key.name!r} does not fit the checkpoint.")
    return witnessed_at(parsed)


def witnessed_at(line: SignatureLine) -> int:
    """Return the POSIX time in a cosignature's line; it means something only after the line was verified."""
    return int.from_bytes(line.signature[:_TIME_BYTES], "big")


def _is_line_signed(key: NoteKey, text: str, line: SignatureLine) -> bool:
    if key.algorithm == ED25519:
        return _is_signed(key.public, text.encode(), line.signature)
    if len(line.signature) != _TIME_BYTES + SIGNATURE_BYTES or not 0 < witnessed_at(line) <= MAX_NUMBER:
        return False
    return _is_signed(key.public, _cosigned_message(text, witnessed_at(line)), line.signature[_TIME_BYTES:])


def _cosigned_message(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def _is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether `signature` is that of `public` over `message` (RFC 8032 section 5.1.7)."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _require_name(name: str) -> None:
    if not name or "+" in name or any(sign.isspace() or sign < " " for sign in name):
        raise NoteInvalid(f"{name!r} cannot be the name of a key: a name is not empty and has no blanks and no '+'.")


def _require_text(text: str) -> None:
    _utf8(text)
    if not text.endswith("\n") or any(sign < " " and sign != "\n" for sign in text):
        raise NoteInvalid("The text of a note ends in a newline and has no other control characters.")


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise NoteInvalid("The note is not valid Unicode.") from error


def _decoded(text: str) -> bytes:
    try:
        data = strict_base64.decode(text)
    except ValueError as error:
        raise NoteInvalid(f"A part of the note cannot be read: {error}.") from error
    if not data:
        raise NoteInvalid("A part of the note is empty.")
    return data
