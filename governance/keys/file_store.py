"""Keys in one file, encrypted under a passphrase, shared by all processes of a machine.

The file is JSON. A key of 256 bits is derived from the passphrase by scrypt (RFC 7914); each private key (PKCS #8, RFC
5208) is sealed with AES-256-GCM, with its public description as associated data, so that a window, a purpose or a
revocation cannot be edited without the passphrase. What this cannot notice: an older copy of the whole file put back.
"""

import base64
import json
import os
import stat
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from governance.kernel.canonical import canonical_json, to_json_object
from governance.kernel.durable_files import locked, replace_file
from governance.kernel.errors import IntegrityFault, InvalidInput, Unavailable
from governance.kernel.json_reading import read_json_object
from governance.kernel.parsing import parse_bool, parse_int, parse_list, parse_object, parse_text
from governance.keys.pairs import KeyPair, PrivateKey
from governance.keys.ring import (
    KeyAlgorithm,
    KeyChange,
    KeyPlan,
    KeyPurpose,
    PublicKeyInfo,
    SigningKey,
    ensure_keys,
)

FORMAT = "assent-key-store/1"
_CHECK_TEXT = b"assent key store"
_NONCE_BYTES = 12
_SALT_BYTES = 16
#: RFC 7914 section 2: memory is 128 * n * r bytes, so n = 2^15 costs 32 MiB; a file may not ask for more than 2^20.
_SCRYPT_N = 2**15
_SCRYPT_MAX_N = 2**20
_SCRYPT_R = 8
_SCRYPT_P = 1


class KeyStoreMissing(Unavailable):
    """There is no key store file."""

    code = "key_store_missing"


class KeyStoreUnsafe(Unavailable):
    """Others than the owner may read the key store file."""

    code = "key_store_unsafe"


class KeyStoreLocked(Unavailable):
    """The passphrase does not open the key store."""

    code = "key_store_passphrase_wrong"


class KeyStoreAltered(IntegrityFault):
    """The key store file is not as it was written."""

    code = "key_store_altered"


class DevelopmentKeyRefused(Unavailable):
    """A development key is in a store that may not hold any."""

    code = "development_key_refused"


@dataclass(frozen=True, slots=True)
class _Cached:
    stamp: tuple[int, int, int]
    pairs: tuple[KeyPair, ...]


class FileKeyStore:
    """A key store file. Several threads and processes may use it; all see a change at their next use."""

    def __init__(
        self, path: Path, passphrase: str, *, allow_development: bool = False, scrypt_n: int = _SCRYPT_N
    ) -> None:
        """Nothing is read yet. `scrypt_n` sets the cost of a new file. Raises InvalidInput for an empty passphrase."""
        if not passphrase:
            raise InvalidInput("The key store needs a passphrase.", code="key_store_passphrase_empty")
        self._path = Path(path)
        self._passphrase = passphrase.encode()
        self._allow_development = allow_development
        self._scrypt_n = scrypt_n
        self._lock = threading.Lock()
        self._cached: _Cached | None = None
        self._derived: dict[tuple[bytes, int], AESGCM] = {}

    def load(self) -> tuple[KeyPair, ...]:
        """Return the keys, oldest first; the file is read again only when it has changed.

        Raises KeyStoreMissing, KeyStoreUnsafe, KeyStoreLocked, KeyStoreAltered, DevelopmentKeyRefused.
        """
        with self._lock:
            stamp = self._stamp()
            if self._cached is None or self._cached.stamp != stamp:
                self._cached = _Cached(stamp, self._read())
            return self._cached.pairs

    def generate(self, plan: KeyPlan) -> KeyPair:
        """Make a key pair in this process."""
        return KeyPair.generate(plan)

    def update(self, change: KeyChange) -> None:
        """Store what `change` makes of the present keys, under a lock shared by all processes.

        The file is replaced whole, readable by its owner only. A missing file counts as one without keys.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with locked(self._path.with_name(self._path.name + ".lock")):
            present = self.load() if self._path.exists() else ()
            changed = tuple(_with_private(each) for each in change(present))
            if changed != present:
                self._refuse_development(changed)
                replace_file(self._path, self._sealed(changed), mode=0o600)

    def ensure(self, *, development: bool = False, algorithm: KeyAlgorithm | None = None) -> None:
        """Make a key for every purpose that never had one."""
        ensure_keys(self, development=development, algorithm=algorithm)

    def _stamp(self) -> tuple[int, int, int]:
        try:
            status = self._path.stat()
        except FileNotFoundError as error:
            raise KeyStoreMissing(f"There is no key store at {self._path}.") from error
        if stat.S_IMODE(status.st_mode) & 0o077:
            raise KeyStoreUnsafe(f"Others may read or change {self._path}; its mode must be 0600.")
        return status.st_ino, status.st_mtime_ns, status.st_size

    def _read(self) -> tuple[KeyPair, ...]:
        try:
            document = read_json_object(self._path.read_bytes())
            if document["format"] != FORMAT:
                raise KeyStoreAltered(f"{self._path} is not a key store of format {FORMAT}.")
            kdf = parse_object(document["kdf"])
            cipher = self._cipher(_unbase64(kdf["salt"]), parse_int(kdf["n"]))
            self._check_passphrase(cipher, _unbase64(document["check"]))
            pairs = tuple(self._opened(cipher, parse_object(record)) for record in parse_list(document["keys"]))
        except (ValueError, KeyError, TypeError) as error:
            raise KeyStoreAltered(f"{self._path} is not a whole key store file.") from error
        self._refuse_development(pairs)
        return pairs

    def _cipher(self, salt: bytes, n: int) -> AESGCM:
        if n > _SCRYPT_MAX_N:
            raise KeyStoreAltered(f"{self._path} asks for more scrypt memory than allowed.")
        if (salt, n) not in self._derived:
            kdf = Scrypt(salt=salt, length=32, n=n, r=_SCRYPT_R, p=_SCRYPT_P)
            self._derived[(salt, n)] = AESGCM(kdf.derive(self._passphrase))
        return self._derived[(salt, n)]

    def _check_passphrase(self, cipher: AESGCM, check: bytes) -> None:
        try:
            _open(cipher, check, _CHECK_TEXT)
        except InvalidTag as error:
            raise KeyStoreLocked(f"The passphrase does not open the key store {self._path}.") from error

    def _opened(self, cipher: AESGCM, record: dict[str, object]) -> KeyPair:
        info = _info_from(record)
        try:
            private = load_der_private_key(
                _open(cipher, _unbase64(record["private"]), canonical_json(info)), password=None
            )
        except InvalidTag as error:
            raise KeyStoreAltered(f"Key {info.key_id} in {self._path} was altered.") from error
        if not isinstance(private, Ed25519PrivateKey | EllipticCurvePrivateKey):
            raise KeyStoreAltered(f"Key {info.key_id} in {self._path} has an algorithm that is not used here.")
        return KeyPair(info=info, private=private)

    def _refuse_development(self, pairs: tuple[KeyPair, ...]) -> None:
        marked = [pair.info.key_id for pair in pairs if pair.info.development]
        if marked and not self._allow_development:
            raise DevelopmentKeyRefused(f"The key store {self._path} holds development keys: {', '.join(marked)}.")

    def _sealed(self, pairs: tuple[KeyPair, ...]) -> bytes:
        salt, n = next(iter(self._derived), (os.urandom(_SALT_BYTES), self._scrypt_n))
        cipher = self._cipher(salt, n)
        document = {
            "format": FORMAT,
            "kdf": {"name": "scrypt", "n": n, "r": _SCRYPT_R, "p": _SCRYPT_P, "salt": _base64(salt)},
            "check": _base64(_seal(cipher, b"", _CHECK_TEXT)),
            "keys": [
                {
                    **to_json_object(pair.info),
                    "private": _base64(_seal(cipher, _pkcs8(pair.private), canonical_json(pair.info))),
                }
                for pair in pairs
            ],
        }
        return json.dumps(document, indent=2).encode()


def _with_private(key: SigningKey) -> KeyPair:
    if not isinstance(key, KeyPair):
        raise TypeError(f"key {key.info.key_id} is kept elsewhere: a file takes key pairs only")
    return key


def _info_from(record: dict[str, object]) -> PublicKeyInfo:
    return PublicKeyInfo(
        key_id=parse_text(record["key_id"]),
        algorithm=KeyAlgorithm(parse_text(record["algorithm"])),
        purpose=KeyPurpose(parse_text(record["purpose"])),
        not_before=datetime.fromisoformat(parse_text(record["not_before"])),
        not_after=_moment(record["not_after"]),
        revoked_at=_moment(record["revoked_at"]),
        public_pem=parse_text(record["public_pem"]),
        development=parse_bool(record["development"]),
    )


def _moment(value: object) -> datetime | None:
    return None if value is None else datetime.fromisoformat(parse_text(value))


def _pkcs8(private: PrivateKey) -> bytes:
    return private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _seal(cipher: AESGCM, secret: bytes, about: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, secret, about)


def _open(cipher: AESGCM, sealed: bytes, about: bytes) -> bytes:
    return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unbase64(value: object) -> bytes:
    return base64.b64decode(parse_text(value), validate=True)
