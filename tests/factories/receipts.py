"""Receipts, logs and trust files made by hand, without a database: all that the offline verifier reads."""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.kernel import strict_base64
from governance.kernel.canonical import canonical_json, digest, sha256_hex
from governance.keys.dsse import IN_TOTO_PAYLOAD_TYPE, Envelope, EnvelopeSignature, pae
from governance.keys.pairs import KeyPair, PrivateKey, describe, key_id_of, public_pem_of
from governance.keys.ring import KeyAlgorithm, KeyPlan, KeyPurpose
from governance.transparency.merkle import leaf_hash
from governance.transparency.notes import COSIGNATURE_V1, CheckpointBody, cosign, sign_note, vkey_of
from governance.transparency.predicates.catalogue import predicate_of_type
from governance.transparency.proofs import ProofFile, format_proof_file
from tests.factories.merkle import inclusion_path, tree_hash

ORIGIN = "log.example/ledger"
ARTIFACT = b"the bytes of a released picture"
INDEX, SIZE = 5, 11
SEEN_AT = 1_780_000_000
PREDICATE = "https://assent.dev/predicates/upload/v1"
OUTCOME = "https://assent.dev/predicates/job-outcome/v1"


def ed25519(seed: int) -> Ed25519PrivateKey:
    """Return a key that is the same in every run."""
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


def es256(seed: int) -> PrivateKey:
    """Return a key on P-256 that is the same in every run."""
    return derive_private_key(seed, SECP256R1())


LOG = ed25519(1)
SIGNER = ed25519(2)
WITNESSES = {f"witness.example/w{number}": ed25519(10 + number) for number in (1, 2, 3)}


def signed(statement: Mapping[str, Any], key: PrivateKey = SIGNER, *, development: bool = False) -> dict[str, Any]:
    """Return the statement in a DSSE envelope, as JSON values."""
    payload = canonical_json(statement)
    value = _pair(key, development).sign(pae(IN_TOTO_PAYLOAD_TYPE, payload))
    key_id = key_id_of(key.public_key(), development=development)
    envelope = Envelope(IN_TOTO_PAYLOAD_TYPE, payload, (EnvelopeSignature(key_id, value),))
    document: dict[str, Any] = json.loads(envelope.to_json())
    return document


def _pair(key: PrivateKey, development: bool) -> KeyPair:
    algorithm = KeyAlgorithm.ED25519 if isinstance(key, Ed25519PrivateKey) else KeyAlgorithm.ES256
    plan = KeyPlan(purpose=KeyPurpose.RECEIPT, not_before=datetime(2026, 1, 1, tzinfo=UTC), development=development)
    return KeyPair(info=describe(key.public_key(), plan=plan, algorithm=algorithm), private=key)


def statement(**changed: Any) -> dict[str, Any]:
    """Return the statement of an upload receipt; `changed` replaces members."""
    sha256 = sha256_hex(ARTIFACT)
    example = _example(PREDICATE)
    about = {"sha256": sha256, "size": len(ARTIFACT)}
    subject = [{"name": "upload", "digest": {"sha256": sha256}}]
    return example | {"subject": subject, "predicate": example["predicate"] | about} | changed


def evidence_statement() -> dict[str, Any]:
    """Return the statement of a released job, from before statements said when the log will have them."""
    example = _example(OUTCOME)
    subject = [{"name": "output", "digest": {"sha256": sha256_hex(ARTIFACT)}}]
    output = example["predicate"]["output"] | {"sha256": sha256_hex(ARTIFACT)}
    evidence = {each: value for each, value in example["predicate"]["evidence"].items() if each != "included_by"}
    return example | {"subject": subject, "predicate": example["predicate"] | {"output": output, "evidence": evidence}}


def _example(predicate_type: str) -> dict[str, Any]:
    """Return the first example in the published schema of a predicate type."""
    predicate = predicate_of_type(predicate_type)
    assert predicate is not None
    return copy.deepcopy(predicate.examples[0])


def entry_of(envelope: Mapping[str, Any], stated: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ledger entry that names an envelope."""
    evidence = stated["predicate"].get("evidence")
    about = evidence or stated["predicate"]["receipt"]
    return {
        "v": 1,
        "entry_id": about.get("entry_id", "e-1"),
        "kind": "evidence.issued" if evidence else about["kind"],
        "subject": about["subject"],
        "actor": {"type": "system", "id": "audit"},
        "at": "2026-06-01T08:00:00.000001Z",
        "data": {
            "envelope_sha256": digest(envelope),
            "predicate_type": stated["predicateType"],
            "key_id": envelope["signatures"][0]["keyid"],
            "size": 3,
        }
        | ({"evidence_id": about["id"]} if evidence else {}),
    }


def checkpoint(leaves: list[bytes], *, origin: str = ORIGIN, log: Ed25519PrivateKey = LOG) -> str:
    """Return the signed note over a tree."""
    text = CheckpointBody(origin, len(leaves), tree_hash(leaves)).body_text()
    return sign_note(text=text, name=origin, public=log.public_key().public_bytes_raw(), sign=log.sign)


def cosigned(note: str, *names: str, at: int = SEEN_AT) -> str:
    """Return the note with the cosignatures of the witnesses named."""
    text = note.rpartition("\n\n")[0] + "\n"
    return note + "".join(_cosignature(text, name, at) for name in names)


def _cosignature(text: str, name: str, at: int) -> str:
    key = WITNESSES[name]
    return cosign(text=text, name=name, public=key.public_key().public_bytes_raw(), sign=key.sign, at=at)


def proof_of(
    entry: bytes,
    *,
    index: int = INDEX,
    size: int = SIZE,
    witnesses: int = 1,
    log: Ed25519PrivateKey = LOG,
    seen_at: int = SEEN_AT,
) -> str:
    """Return the proof file of an entry in a log of other entries."""
    leaves = [leaf_hash(f"other {number}".encode()) for number in range(size)]
    leaves[index] = leaf_hash(entry)
    note = cosigned(checkpoint(leaves, log=log), *list(WITNESSES)[:witnesses], at=seen_at)
    return format_proof_file(ProofFile(index=index, hashes=tuple(inclusion_path(index, leaves)), checkpoint=note))


def witness_vkey(name: str) -> str:
    """Return the verifier key of a witness."""
    return vkey_of(name=name, public=WITNESSES[name].public_key().public_bytes_raw(), algorithm=COSIGNATURE_V1)


def trust(
    *, signer: PrivateKey = SIGNER, threshold: int = 1, witnesses: int = 1, development: bool = False
) -> dict[str, Any]:
    """Return the trust file that fits, its ranges as narrow as they can be."""
    log = LOG.public_key()
    return {
        "format": "assent-trust/1",
        "origin": ORIGIN,
        "log_keys": [
            {
                "vkey": vkey_of(name=ORIGIN, public=log.public_bytes_raw()),
                "key_id": key_id_of(log, development=False),
                "from_index": SIZE - 1,
                "until_index": SIZE,
                "revoked_from_index": SIZE,
            }
        ],
        "keys": [
            {
                "key_id": key_id_of(signer.public_key(), development=development),
                "algorithm": _pair(signer, development).info.algorithm.value,
                "purpose": "receipt",
                "predicates": [PREDICATE, OUTCOME],
                "public_pem": public_pem_of(signer.public_key()),
                "from_index": INDEX,
                "until_index": INDEX + 1,
                "revoked_from_index": INDEX + 1,
                "development": development,
            }
        ],
        "witnesses": {"threshold": threshold, "keys": [witness_vkey(name) for name in list(WITNESSES)[:witnesses]]},
        "exported_at": "2026-06-01T09:00:00.000000Z",
    }


def receipt(stated: Mapping[str, Any] | None = None, *, signer: PrivateKey = SIGNER, **proof: Any) -> dict[str, Any]:
    """Return a receipt that fits the trust file."""
    stated = stated or statement()
    envelope = signed(stated, signer)
    entry = canonical_json(entry_of(envelope, stated))
    about = stated["predicate"].get("evidence") or stated["predicate"]["receipt"]
    return {
        "format": "assent-receipt/1",
        "envelope": envelope,
        "entry": strict_base64.encode(entry),
        "included_by": about.get("included_by"),
        "proof": proof_of(entry, **proof),
    }


@dataclass
class Files:
    """The three files of a verification as JSON values and bytes, to be changed at will."""

    receipt: dict[str, Any] = field(default_factory=receipt)
    trust: dict[str, Any] = field(default_factory=trust)
    artifact: bytes | None = ARTIFACT

    def copy(self) -> "Files":
        return copy.deepcopy(self)

    @property
    def receipt_bytes(self) -> bytes:
        return canonical_json(self.receipt)

    @property
    def trust_bytes(self) -> bytes:
        return canonical_json(self.trust)
