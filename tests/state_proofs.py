"""Checks a state's proof as somebody outside does: with the trust file and the verifier's functions alone."""

import json
from collections.abc import Mapping
from typing import Any

from governance.audit.log.trust import trust_document
from governance.kernel import strict_base64
from governance.transparency.merkle import leaf_hash
from governance.transparency.notes import open_note, parse_checkpoint, parse_vkey
from governance.transparency.proofs import parse_proof_file, verify_inclusion


def said_by(body: bytes, proof: str) -> dict[str, Any]:
    """Return what an entry says, once its proof was verified. Raises ProofInvalid and NoteInvalid."""
    parsed = parse_proof_file(proof)
    keys = [parse_vkey(each["vkey"]) for each in trust_document()["log_keys"]]
    tree = parse_checkpoint(open_note(note=parsed.checkpoint, keys=keys).text)
    verify_inclusion(index=parsed.index, size=tree.size, leaf=leaf_hash(body), proof=parsed.hashes, root=tree.root)
    return json.loads(body)


def proven_state(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the state that a state document proves: what its entry says of the object that it names."""
    entry = said_by(strict_base64.decode(document["entry"]), document["proof"])
    assert entry["subject"] == {"type": document["type"], "id": document["id"]}
    assert entry["at"] <= document["at"]
    return entry["data"]["after"]
