import base64
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from hypothesis import given
from hypothesis import strategies as st

from governance.keys.dsse import (
    IN_TOTO_PAYLOAD_TYPE,
    Envelope,
    EnvelopeMalformed,
    EnvelopeSignature,
    pae,
    sign_envelope,
    verify_envelope,
)
from governance.keys.pairs import KeyPair
from governance.keys.ring import KeyAlgorithm, KeyPlan, KeyPurpose, KeyRing, SignatureInvalid
from tests.factories.keys import MemoryKeyStore, development_ring

# The example of protocol.md, "Test Vectors": ECDSA P-256, raw r||s.
SPEC_TYPE = "http://example.com/HelloWorld"
SPEC_SECRET = 97358161215184420915383655311931858321456579547487070936769975997791359926199
SPEC_SIGNATURE = "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="
SPEC_ENVELOPE = {
    "payload": "aGVsbG8gd29ybGQ=",
    "payloadType": SPEC_TYPE,
    "signatures": [{"sig": SPEC_SIGNATURE}],
}
EVIDENCE = KeyPurpose.EVIDENCE
PAYLOAD = b'{"_type":"https://in-toto.io/Statement/v1"}'


@pytest.fixture
def ring() -> KeyRing:
    return development_ring()


@pytest.fixture
def envelope(ring: KeyRing) -> Envelope:
    return sign_envelope(key_ring=ring, purpose=EVIDENCE, payload_type=IN_TOTO_PAYLOAD_TYPE, payload=PAYLOAD)


def opened(ring: KeyRing, envelope: Envelope, *, purpose: KeyPurpose = EVIDENCE) -> bytes:
    return verify_envelope(
        key_ring=ring, purpose=purpose, envelope=envelope, expected_payload_type=IN_TOTO_PAYLOAD_TYPE
    )


def test_pae_of_the_specification() -> None:
    assert pae(SPEC_TYPE, b"hello world") == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_pae_counts_bytes_not_characters_and_keeps_an_empty_body() -> None:
    assert pae("ä", b"") == b"DSSEv1 2 \xc3\xa4 0 "


@given(st.text(max_size=30), st.binary(max_size=30), st.text(max_size=30), st.binary(max_size=30))
def test_pae_never_gives_two_meanings_one_encoding(type_a: str, body_a: bytes, type_b: str, body_b: bytes) -> None:
    assert (pae(type_a, body_a) == pae(type_b, body_b)) == ((type_a, body_a) == (type_b, body_b))


def test_signature_of_the_specification_verifies() -> None:
    private = derive_private_key(SPEC_SECRET, SECP256R1())
    made_at = datetime(2020, 1, 1, tzinfo=UTC)
    fresh = KeyPair.generate(KeyPlan(EVIDENCE, made_at, development=False, algorithm=KeyAlgorithm.ES256))
    info = replace(fresh.info, key_id="spec")
    store = MemoryKeyStore()
    store.update(lambda pairs: (KeyPair(info=info, private=private),))
    envelope = Envelope.from_json(json.dumps(SPEC_ENVELOPE))
    assert envelope.signatures[0].key_id == ""

    with_hint = replace(envelope, signatures=(replace(envelope.signatures[0], key_id="spec"),))
    payload = verify_envelope(
        key_ring=KeyRing(store), purpose=EVIDENCE, envelope=with_hint, expected_payload_type=SPEC_TYPE
    )

    assert payload == b"hello world"


def test_signed_envelope_travels_as_canonical_json(ring: KeyRing, envelope: Envelope) -> None:
    text = envelope.to_json()

    assert Envelope.from_json(text) == Envelope.from_json(text.encode()) == envelope
    assert list(json.loads(text)) == ["payload", "payloadType", "signatures"]
    assert opened(ring, envelope) == PAYLOAD


def test_url_safe_base64_and_unknown_members_are_taken(ring: KeyRing) -> None:
    payload = b"\xfb\xef\xbe\xff\xff"
    envelope = sign_envelope(key_ring=ring, purpose=EVIDENCE, payload_type=IN_TOTO_PAYLOAD_TYPE, payload=payload)
    document = json.loads(envelope.to_json()) | {"extra": 1}
    document["payload"] = base64.urlsafe_b64encode(payload).decode()

    assert "-" in document["payload"]
    assert Envelope.from_json(json.dumps(document)) == envelope


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        b"\xff",
        "[" * 100_000,
        '{"payload":"","payloadType":""}',
        '{"payload":"","signatures":[]}',
        '{"payload":1,"payloadType":"a","signatures":[]}',
        '{"payload":"","payloadType":null,"signatures":[]}',
        '{"payload":"a","payloadType":"a","signatures":[]}',
        '{"payload":"YQ==\\n","payloadType":"a","signatures":[]}',
        '{"payload":"\u00e4","payloadType":"a","signatures":[]}',
        '{"payload":"","payloadType":"a","signatures":["x"]}',
        '{"payload":"","payloadType":"a","signatures":[{}]}',
        '{"payload":"","payloadType":"a","signatures":[{"sig":"","keyid":5}]}',
        '{"payload":"","payload":"YQ==","payloadType":"a","signatures":[]}',
    ],
)
def test_anything_but_an_envelope_is_refused(text: str | bytes) -> None:
    with pytest.raises(EnvelopeMalformed) as caught:
        Envelope.from_json(text)

    assert caught.value.error_code == "envelope_malformed"


def test_changed_payload_or_purpose_is_refused(ring: KeyRing, envelope: Envelope) -> None:
    with pytest.raises(SignatureInvalid, match="does not fit"):
        opened(ring, replace(envelope, payload=PAYLOAD + b" "))
    with pytest.raises(SignatureInvalid) as caught:
        opened(ring, envelope, purpose=KeyPurpose.PERMIT)
    assert caught.value.error_code == "key_purpose_mismatch"


def test_other_payload_type_is_refused(ring: KeyRing, envelope: Envelope) -> None:
    with pytest.raises(EnvelopeMalformed, match="payload type"):
        opened(ring, replace(envelope, payload_type="text/plain"))


def test_unsigned_envelope_is_refused(ring: KeyRing, envelope: Envelope) -> None:
    with pytest.raises(EnvelopeMalformed, match="no signature"):
        opened(ring, replace(envelope, signatures=()))


def test_one_accepted_signature_among_foreign_ones_is_enough(ring: KeyRing, envelope: Envelope) -> None:
    foreign = EnvelopeSignature(key_id="foreign", value=bytes(64))

    assert opened(ring, replace(envelope, signatures=(foreign, *envelope.signatures))) == PAYLOAD
    with pytest.raises(SignatureInvalid) as caught:
        opened(ring, replace(envelope, signatures=(foreign, foreign)))
    assert caught.value.error_code == "unknown_key"


def test_time_of_signing_is_passed_on(ring: KeyRing, envelope: Envelope) -> None:
    with pytest.raises(SignatureInvalid) as caught:
        verify_envelope(
            key_ring=ring,
            purpose=EVIDENCE,
            envelope=envelope,
            expected_payload_type=IN_TOTO_PAYLOAD_TYPE,
            at=datetime(2020, 1, 1, tzinfo=UTC),
        )
    assert caught.value.error_code == "key_not_valid_at"
