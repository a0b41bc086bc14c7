"""The trust file: everything that third parties need to verify receipts offline.

It names the log, the keys that sign its checkpoints, the keys that sign statements with the predicates each may sign
and the indexes of the log at which it is valid, and the witnesses. It, or its SHA-256, has to be obtained separately
from the receipts.
"""

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from django.conf import settings

from governance.audit.log.key_history import KeyRange, announce_keys, key_ranges, last_key_entry_at
from governance.audit.recording.declarations import evidence_predicates, receipt_predicates
from governance.audit.recording.predicates import PREDICATES
from governance.kernel import clock
from governance.kernel.canonical import Json, canonical_json, timestamp
from governance.keys.ring import KeyPurpose, key_ring
from governance.transparency.notes import vkey_of

FORMAT = "assent-trust/1"


def predicates_of(purpose: KeyPurpose) -> tuple[str, ...]:
    """Return the short names of the predicates that keys of a purpose may sign."""
    return {KeyPurpose.EVIDENCE: evidence_predicates(), KeyPurpose.RECEIPT: receipt_predicates()}.get(purpose, ())


def trust_document(*, announce: bool = True) -> dict[str, Json]:
    """Return the trust file as JSON values; keys that the log does not have yet are announced first, or left out.

    Only keys of this installation's key ring are included, whatever the log says. `exported_at` is the time of the
    newest entry about a key: the same trust has the same bytes and SHA-256, which can be published. Raises
    KeyHistoryAltered and what loading the keys raises.
    """
    if announce:
        announce_keys()
    ours = {info.key_id: info.public_pem for info in key_ring.get().public_keys()}
    ranges = [each for each in key_ranges() if ours.get(each.key_id) == each.public_pem]
    return {
        "format": FORMAT,
        "origin": settings.ASSENT_LOG_ORIGIN,
        "log_keys": [_log_key(each) for each in ranges if each.purpose is KeyPurpose.CHECKPOINT],
        "keys": [_statement_key(each) for each in ranges if predicates_of(each.purpose)],
        "witnesses": {
            "threshold": settings.ASSENT_WITNESS_QUORUM,
            "keys": [witness["vkey"] for witness in settings.ASSENT_WITNESSES],
        },
        "exported_at": timestamp(last_key_entry_at() or clock.now()),
    }


def trust_file(*, announce: bool = True) -> bytes:
    """Return the trust file's bytes: canonical JSON (RFC 8785) and a newline. Raises what `trust_document` raises."""
    return canonical_json(trust_document(announce=announce)) + b"\n"


def log_vkey(public_pem: str, *, origin: str) -> str:
    """Return the verifier key of the log `origin` (C2SP signed-note) for an Ed25519 key given as PEM."""
    public = load_pem_public_key(public_pem.encode())
    return vkey_of(name=origin, public=public.public_bytes(Encoding.Raw, PublicFormat.Raw))


def _log_key(each: KeyRange) -> dict[str, Json]:
    return {"vkey": log_vkey(each.public_pem, origin=settings.ASSENT_LOG_ORIGIN), **_range(each)}


def _statement_key(each: KeyRange) -> dict[str, Json]:
    return {
        **_range(each),
        "algorithm": each.algorithm.value,
        "purpose": each.purpose.value,
        "predicates": [PREDICATES + name for name in predicates_of(each.purpose)],
        "public_pem": each.public_pem,
        "development": each.development,
    }


def _range(each: KeyRange) -> dict[str, Json]:
    return {
        "key_id": each.key_id,
        "from_index": each.from_index,
        "until_index": each.until_index,
        "revoked_from_index": each.revoked_from_index,
    }
