"""securesystemslib reads the DSSE envelopes that we sign, and we read its."""

import json

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope as TheirEnvelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from governance.kernel import clock
from governance.keys.dsse import IN_TOTO_PAYLOAD_TYPE, Envelope, sign_envelope, verify_envelope
from governance.keys.pairs import KeyPair
from governance.keys.ring import KeyAlgorithm, KeyPlan, KeyPurpose, KeyRing, PublicKeyInfo, SignatureInvalid
from tests.factories.keys import MemoryKeyStore, development_ring

PURPOSE = KeyPurpose.RECEIPT
PAYLOAD = json.dumps({"_type": "https://in-toto.io/Statement/v1", "subject": [], "note": "é"}).encode()


def their_key(info: PublicKeyInfo) -> SSlibKey:
    return SSlibKey.from_crypto(load_pem_public_key(info.public_pem.encode()), keyid=info.key_id)


def ours() -> tuple[Envelope, PublicKeyInfo]:
    ring = development_ring()
    envelope = sign_envelope(key_ring=ring, purpose=PURPOSE, payload_type=IN_TOTO_PAYLOAD_TYPE, payload=PAYLOAD)
    return envelope, ring.current(purpose=PURPOSE)


def test_they_verify_our_envelope() -> None:
    envelope, info = ours()
    theirs = TheirEnvelope.from_dict(json.loads(envelope.to_json()))
    assert list(theirs.verify([their_key(info)], 1)) == [info.key_id]
    assert (theirs.payload, theirs.payload_type) == (PAYLOAD, IN_TOTO_PAYLOAD_TYPE)


@pytest.mark.parametrize("member", ["payload", "payloadType"])
def test_they_refuse_our_envelope_once_it_is_altered(member: str) -> None:
    envelope, info = ours()
    document = json.loads(envelope.to_json())
    altered = {**document, member: document[member].replace("a", "b").replace("e", "f")}
    with pytest.raises(VerificationError):
        TheirEnvelope.from_dict(altered).verify([their_key(info)], 1)


def test_they_refuse_another_key_than_ours() -> None:
    envelope, info = ours()
    _, other = ours()
    stranger = their_key(other)
    stranger.keyid = info.key_id
    with pytest.raises(VerificationError):
        TheirEnvelope.from_dict(json.loads(envelope.to_json())).verify([stranger], 1)


def signed_by_them() -> tuple[str, KeyRing]:
    """Return an envelope that they signed, as JSON, and our ring with the same key."""
    plan = KeyPlan(purpose=PURPOSE, algorithm=KeyAlgorithm.ED25519, not_before=clock.now(), development=False)
    pair = KeyPair.generate(plan)
    store = MemoryKeyStore()
    store.update(lambda pairs: (*pairs, pair))
    envelope = TheirEnvelope(PAYLOAD, IN_TOTO_PAYLOAD_TYPE, {})
    envelope.sign(CryptoSigner(pair.private, their_key(pair.info)))
    return json.dumps(envelope.to_dict()), KeyRing(store)


def test_we_verify_their_envelope() -> None:
    text, ring = signed_by_them()
    payload = verify_envelope(
        key_ring=ring,
        purpose=PURPOSE,
        envelope=Envelope.from_json(text),
        expected_payload_type=IN_TOTO_PAYLOAD_TYPE,
    )
    assert payload == PAYLOAD


def test_we_refuse_their_envelope_once_it_is_altered() -> None:
    text, ring = signed_by_them()
    envelope = Envelope.from_json(text)
    altered = Envelope(envelope.payload_type, envelope.payload + b" ", envelope.signatures)
    with pytest.raises(SignatureInvalid):
        verify_envelope(key_ring=ring, purpose=PURPOSE, envelope=altered, expected_payload_type=IN_TOTO_PAYLOAD_TYPE)
