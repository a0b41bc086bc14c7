from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st

from governance.kernel import clock
from governance.kernel.canonical import sha256_hex
from governance.kernel.clock import ManualClock
from governance.keys.pairs import KeyPair, PrivateKey, key_id_of, public_pem_of
from governance.keys.ring import (
    ROTATION_OVERLAP,
    KeyAlgorithm,
    KeyPlan,
    KeyPurpose,
    KeyRing,
    KeyUnavailable,
    KeyUnknown,
    Signature,
    SignatureInvalid,
    key_ring,
)
from tests.factories.keys import MemoryKeyStore, development_ring

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
MESSAGE = b"a permit for one job"
PERMIT = KeyPurpose.PERMIT


@pytest.fixture
def manual() -> Iterator[ManualClock]:
    stopped = ManualClock(START)
    with clock.using(stopped):
        yield stopped


@pytest.fixture(params=list(KeyAlgorithm))
def ring(request: pytest.FixtureRequest, manual: ManualClock) -> KeyRing:
    ring = KeyRing(MemoryKeyStore())
    ring.ensure(algorithm=request.param)
    return ring


def pair_of(private: PrivateKey, algorithm: KeyAlgorithm) -> KeyPair:
    fresh = KeyPair.generate(KeyPlan(PERMIT, START, development=False, algorithm=algorithm))
    return replace(fresh, private=private)


def refusal(ring: KeyRing, signature: Signature, **given: object) -> str:
    wanted = {"purpose": PERMIT, "message": MESSAGE, "at": None} | given
    with pytest.raises(SignatureInvalid) as caught:
        ring.verify(signature=signature, **wanted)  # type: ignore[arg-type]
    return caught.value.error_code


def test_ed25519_known_answer_of_rfc_8032_section_7_1_test_2() -> None:
    secret = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    pair = pair_of(Ed25519PrivateKey.from_private_bytes(secret), KeyAlgorithm.ED25519)
    expected = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )

    assert pair.sign(b"\x72") == expected
    assert pair.is_signed(b"\x72", expected)


def test_es256_known_answer_of_rfc_7515_appendix_a_3() -> None:
    scalar = bytes.fromhex("8e9b109e719098bf980487df1f5d77e9cb29606ebed2263b5f57c213df84f4b2")
    pair = pair_of(derive_private_key(int.from_bytes(scalar, "big"), SECP256R1()), KeyAlgorithm.ES256)
    signed = (
        b"eyJhbGciOiJFUzI1NiJ9"
        b".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    )
    value = urlsafe_b64decode(
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q=="
    )

    assert pair.is_signed(signed, value)
    assert not pair.is_signed(signed + b".", value)


def test_key_id_is_the_digest_of_the_public_key_and_marks_development() -> None:
    private = Ed25519PrivateKey.generate()
    spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    assert key_id_of(private.public_key(), development=False) == sha256_hex(spki)[:16]
    assert key_id_of(private.public_key(), development=True) == "dev-" + sha256_hex(spki)[:16]
    assert load_pem_public_key(public_pem_of(private.public_key()).encode()) == private.public_key()


def test_private_half_is_not_shown() -> None:
    pair = KeyPair.generate(KeyPlan(PERMIT, START, development=False))

    assert "private" not in repr(pair)


def test_signature_is_64_bytes_and_verifies(ring: KeyRing) -> None:
    signature = ring.sign(purpose=PERMIT, message=MESSAGE)

    assert len(signature.value) == 64
    ring.verify(purpose=PERMIT, message=MESSAGE, signature=signature)
    ring.verify(purpose=PERMIT, message=MESSAGE, signature=signature, at=START + timedelta(days=900))


@given(message=st.binary(max_size=200), position=st.integers(0, 63), change=st.integers(1, 255))
@pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
def test_any_changed_byte_is_refused(algorithm: KeyAlgorithm, message: bytes, position: int, change: int) -> None:
    pair = PAIRS[algorithm]
    value = bytearray(pair.sign(message))
    assert pair.is_signed(message, bytes(value))

    value[position] ^= change

    assert not pair.is_signed(message, bytes(value))
    assert not pair.is_signed(message + b"\x00", pair.sign(message))


PAIRS = {
    algorithm: KeyPair.generate(KeyPlan(PERMIT, START, development=True, algorithm=algorithm))
    for algorithm in KeyAlgorithm
}


def test_wrong_message_length_and_algorithm_are_refused(ring: KeyRing) -> None:
    signature = ring.sign(purpose=PERMIT, message=MESSAGE)
    (other,) = set(KeyAlgorithm) - {signature.algorithm}

    assert refusal(ring, signature, message=b"another") == "bad_signature"
    assert refusal(ring, replace(signature, value=signature.value[:-1])) == "bad_signature"
    assert refusal(ring, replace(signature, value=bytes(64))) == "bad_signature"
    assert refusal(ring, replace(signature, algorithm=other)) == "bad_signature"


def test_unknown_key_and_other_purpose_are_refused(ring: KeyRing) -> None:
    signature = ring.sign(purpose=PERMIT, message=MESSAGE)

    assert refusal(ring, replace(signature, key_id="0" * 16)) == "unknown_key"
    assert refusal(ring, signature, purpose=KeyPurpose.EVIDENCE) == "key_purpose_mismatch"


def test_key_is_not_valid_before_it_was_made(ring: KeyRing) -> None:
    signature = ring.sign(purpose=PERMIT, message=MESSAGE)

    assert refusal(ring, signature, at=START - timedelta(microseconds=1)) == "key_not_valid_at"


def test_after_a_rotation_the_new_key_signs_and_the_old_one_ends(ring: KeyRing, manual: ManualClock) -> None:
    old = ring.sign(purpose=PERMIT, message=MESSAGE)
    manual.advance(seconds=60)
    fresh = ring.rotate(purpose=PERMIT)
    new = ring.sign(purpose=PERMIT, message=MESSAGE)

    assert new.key_id == fresh.key_id != old.key_id
    assert new.algorithm == old.algorithm
    ring.verify(purpose=PERMIT, message=MESSAGE, signature=old)
    manual.advance(seconds=ROTATION_OVERLAP.total_seconds())
    assert refusal(ring, old) == "key_not_valid_at"
    ring.verify(purpose=PERMIT, message=MESSAGE, signature=old, at=START)
    ring.verify(purpose=PERMIT, message=MESSAGE, signature=new)


def test_rotation_leaves_other_purposes_and_earlier_ends_alone(ring: KeyRing, manual: ManualClock) -> None:
    first = ring.rotate(purpose=PERMIT)
    manual.advance(seconds=60)
    ring.rotate(purpose=PERMIT)
    ends = [info.not_after for info in ring.public_keys() if info.purpose is PERMIT]

    assert ends == [START + ROTATION_OVERLAP, START + timedelta(seconds=60) + ROTATION_OVERLAP, None]
    assert first.key_id in {info.key_id for info in ring.public_keys()}
    assert {info.not_after for info in ring.public_keys() if info.purpose is not PERMIT} == {None}


def test_rotation_can_change_the_algorithm_and_keeps_the_development_mark(manual: ManualClock) -> None:
    ring = development_ring()

    fresh = ring.rotate(purpose=KeyPurpose.REVISION, algorithm=KeyAlgorithm.ES256)

    assert fresh.algorithm is KeyAlgorithm.ES256
    assert fresh.development
    assert fresh.key_id.startswith("dev-")


def test_rotation_with_a_clock_set_back_still_uses_the_new_key(ring: KeyRing, manual: ManualClock) -> None:
    manual.advance(seconds=-7200)

    fresh = ring.rotate(purpose=PERMIT)

    assert ring.sign(purpose=PERMIT, message=MESSAGE).key_id == fresh.key_id


def test_a_revoked_key_counts_until_its_revocation(ring: KeyRing, manual: ManualClock) -> None:
    signature = ring.sign(purpose=PERMIT, message=MESSAGE)
    manual.advance(seconds=60)

    info = ring.revoke(key_id=signature.key_id)

    assert info.revoked_at == START + timedelta(seconds=60)
    assert refusal(ring, signature) == "key_revoked"
    ring.verify(purpose=PERMIT, message=MESSAGE, signature=signature, at=START + timedelta(seconds=59))
    with pytest.raises(KeyUnavailable):
        ring.sign(purpose=PERMIT, message=MESSAGE)


def test_revocation_moves_only_to_an_earlier_time(ring: KeyRing) -> None:
    key_id = ring.public_keys()[0].key_id

    ring.revoke(key_id=key_id, since=START + timedelta(days=2))
    assert ring.revoke(key_id=key_id, since=START + timedelta(days=3)).revoked_at == START + timedelta(days=2)
    assert ring.revoke(key_id=key_id, since=START + timedelta(days=1)).revoked_at == START + timedelta(days=1)


def test_a_purpose_whose_keys_were_revoked_gets_no_new_key_by_itself(ring: KeyRing) -> None:
    ring.revoke(key_id=ring.sign(purpose=PERMIT, message=MESSAGE).key_id)

    ring.ensure()

    with pytest.raises(KeyUnavailable, match="permit"):
        ring.sign(purpose=PERMIT, message=MESSAGE)
    ring.rotate(purpose=PERMIT)
    ring.sign(purpose=PERMIT, message=MESSAGE)


def test_an_empty_ring_signs_nothing_rotates_nothing_and_knows_no_key(manual: ManualClock) -> None:
    ring = KeyRing(MemoryKeyStore())

    with pytest.raises(KeyUnavailable):
        ring.sign(purpose=PERMIT, message=MESSAGE)
    with pytest.raises(KeyUnavailable):
        ring.rotate(purpose=PERMIT)
    with pytest.raises(KeyUnknown):
        ring.revoke(key_id="0" * 16)


def test_ensure_makes_one_key_for_each_purpose_once(manual: ManualClock) -> None:
    ring = development_ring()
    before = ring.public_keys()

    ring.ensure(development=True)

    assert ring.public_keys() == before
    assert {info.purpose for info in before} == set(KeyPurpose)
    assert {info.development for info in before} == {True}


def test_public_key_is_found_by_its_id(ring: KeyRing) -> None:
    info = ring.public_keys()[0]

    assert ring.public_key(info.key_id) == info
    with pytest.raises(SignatureInvalid):
        ring.public_key("nobody")


def test_the_port_has_a_name() -> None:
    assert key_ring.name == "key_ring"
