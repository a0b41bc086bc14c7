"""Keys in AWS KMS, against moto's server over HTTP; Ed25519, which that lacks, against AWS's own service model."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from botocore.stub import Stubber
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.kernel.errors import InvalidInput
from governance.keys.dsse import sign_envelope, verify_envelope
from governance.keys.kms import (
    MAX_RAW_BYTES,
    KmsFailed,
    KmsKeyAltered,
    KmsKeyStore,
    KmsMessageTooLong,
)
from governance.keys.pairs import KeyPair
from governance.keys.ring import (
    ROTATION_OVERLAP,
    KeyAlgorithm,
    KeyPlan,
    KeyPurpose,
    KeyRing,
    KeyUnavailable,
    SignatureInvalid,
)
from tests.kms import CREDENTIALS, client_of, kms_server

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PERMIT = KeyPurpose.PERMIT
MESSAGE = b"a permit for one job"
STUB_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch, kms_server() as address:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        yield address


@pytest.fixture
def client(endpoint: str) -> Iterator[Any]:
    client = client_of(endpoint)
    yield client
    client.close()


@pytest.fixture(autouse=True)
def manual() -> Iterator[ManualClock]:
    stopped = ManualClock(START)
    with clock.using(stopped):
        yield stopped


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """Return a prefix that no other test uses: the server lives as long as the module."""
    return "assent-" + sha256(request.node.nodeid.encode()).hexdigest()[:12]


@pytest.fixture
def store(client: Any, prefix: str) -> KmsKeyStore:
    return KmsKeyStore(client, prefix=prefix, refresh_seconds=0)


@pytest.fixture
def ring(store: KmsKeyStore) -> KeyRing:
    """Return a ring with one key, for permits."""
    store.update(lambda keys: (*keys, store.generate(KeyPlan(PERMIT, START, development=False))))
    return KeyRing(store)


def test_kms_signs_and_anybody_verifies_with_the_public_key(ring: KeyRing) -> None:
    signature = ring.sign(purpose=PERMIT, message=MESSAGE)
    assert signature.algorithm is KeyAlgorithm.ES256
    assert len(signature.value) == 64
    ring.verify(purpose=PERMIT, message=MESSAGE, signature=signature)
    with pytest.raises(SignatureInvalid):
        ring.verify(purpose=PERMIT, message=MESSAGE + b".", signature=signature)


def test_envelopes_are_signed_like_those_of_any_other_key(ring: KeyRing) -> None:
    envelope = sign_envelope(key_ring=ring, purpose=PERMIT, payload_type="text/plain", payload=b"{}" * 1000)
    opened = verify_envelope(key_ring=ring, purpose=PERMIT, envelope=envelope, expected_payload_type="text/plain")
    assert opened == b"{}" * 1000


def test_another_process_finds_the_same_keys(ring: KeyRing, client: Any, prefix: str) -> None:
    signature = ring.sign(purpose=PERMIT, message=MESSAGE)
    other = KeyRing(KmsKeyStore(client, prefix=prefix))
    assert other.public_keys() == ring.public_keys()
    other.verify(purpose=PERMIT, message=MESSAGE, signature=signature)
    (info,) = other.public_keys()
    assert load_pem_public_key(info.public_pem.encode())
    assert (info.not_before, info.not_after, info.revoked_at, info.development) == (START, None, None, False)


def test_rings_under_other_prefixes_do_not_mix(ring: KeyRing, client: Any, prefix: str) -> None:
    assert KmsKeyStore(client, prefix=prefix + "-other").load() == ()
    assert KmsKeyStore(client, prefix=prefix[:-1]).load() == ()


def test_a_rotation_leaves_no_moment_without_a_key(
    ring: KeyRing, manual: ManualClock, client: Any, prefix: str
) -> None:
    before = ring.sign(purpose=PERMIT, message=MESSAGE)
    manual.advance(seconds=60)
    fresh = ring.rotate(purpose=PERMIT)
    other = KeyRing(KmsKeyStore(client, prefix=prefix))
    after = other.sign(purpose=PERMIT, message=MESSAGE)
    assert after.key_id == fresh.key_id != before.key_id
    other.verify(purpose=PERMIT, message=MESSAGE, signature=before)
    old, new = other.public_keys()
    assert (old.not_after, new.not_after) == (START + timedelta(seconds=60) + ROTATION_OVERLAP, None)
    manual.advance(seconds=ROTATION_OVERLAP.total_seconds())
    with pytest.raises(SignatureInvalid, match="not valid then"):
        other.verify(purpose=PERMIT, message=MESSAGE, signature=before)
    other.verify(purpose=PERMIT, message=MESSAGE, signature=before, at=START)


def test_a_revocation_reaches_other_processes(ring: KeyRing, client: Any, prefix: str) -> None:
    signature = ring.sign(purpose=PERMIT, message=MESSAGE)
    other = KeyRing(KmsKeyStore(client, prefix=prefix, refresh_seconds=0))
    other.verify(purpose=PERMIT, message=MESSAGE, signature=signature)
    ring.revoke(key_id=signature.key_id)
    with pytest.raises(SignatureInvalid, match="revoked"):
        other.verify(purpose=PERMIT, message=MESSAGE, signature=signature)
    with pytest.raises(KeyUnavailable):
        other.sign(purpose=PERMIT, message=MESSAGE)


def test_between_refreshes_nothing_is_asked_but_signatures(ring: KeyRing, client: Any, prefix: str) -> None:
    patient = KmsKeyStore(client, prefix=prefix, refresh_seconds=3600)
    patient.load()
    asked: list[str] = []
    client.meta.events.register("before-call.kms", lambda model, **_: asked.append(model.name))
    KeyRing(patient).sign(purpose=PERMIT, message=MESSAGE)
    assert asked == ["Sign"]


def test_a_store_sees_its_own_changes_at_once(client: Any, prefix: str) -> None:
    ring = KeyRing(KmsKeyStore(client, prefix=prefix, refresh_seconds=3600))
    store = KmsKeyStore(client, prefix=prefix, refresh_seconds=3600)
    store.update(lambda keys: (store.generate(KeyPlan(PERMIT, START, development=False)),))
    assert len(store.load()) == 1
    key_id = ring.current(purpose=PERMIT).key_id
    assert ring.revoke(key_id=key_id).revoked_at == START


def test_a_key_that_never_got_its_alias_is_no_member(store: KmsKeyStore) -> None:
    store.generate(KeyPlan(PERMIT, START, development=False))
    assert store.load() == ()


def test_ecdsa_is_used_unless_the_purpose_requires_another_algorithm(store: KmsKeyStore) -> None:
    plan = KeyPlan(KeyPurpose.EVIDENCE, START, development=False, algorithm=KeyAlgorithm.ED25519)
    assert store.generate(plan).info.algorithm is KeyAlgorithm.ES256


def test_a_change_of_nothing_writes_nothing(ring: KeyRing, store: KmsKeyStore, client: Any) -> None:
    asked: list[str] = []
    client.meta.events.register("before-call.kms", lambda model, **_: asked.append(model.name))
    store.update(lambda keys: keys)
    assert set(asked) == {"ListAliases", "ListResourceTags"}


def test_keys_that_were_made_before_a_failure_are_kept_and_not_made_again(store: KmsKeyStore) -> None:
    """moto makes no Ed25519 keys, as a region of AWS might not."""
    ring = KeyRing(store)
    for _ in range(2):
        with pytest.raises(KmsFailed, match="AWS KMS refused CreateKey"):
            ring.ensure()
    purposes = list(KeyPurpose)
    made = purposes[: purposes.index(KeyPurpose.CHECKPOINT)]
    assert sorted(info.purpose for info in ring.public_keys()) == sorted(made)


def test_development_keys_are_refused(store: KmsKeyStore) -> None:
    with pytest.raises(InvalidInput, match="does not hold development keys"):
        store.generate(KeyPlan(PERMIT, START, development=True))


def test_a_key_kept_elsewhere_is_refused(store: KmsKeyStore) -> None:
    foreign = KeyPair.generate(KeyPlan(PERMIT, START, development=False))
    with pytest.raises(TypeError, match="kept elsewhere"):
        store.update(lambda keys: (*keys, foreign))


@pytest.mark.parametrize(
    ("alias", "message"),
    [
        ("permit/0000000000000000", "leads to another key"),
        ("painting/0000000000000000", "not as they were made"),
        ("permit", "leads to another key"),
        ("checkpoint/0000000000000000", "not as they were made"),
    ],
)
def test_an_alias_that_somebody_made_by_hand_is_noticed(
    ring: KeyRing, store: KmsKeyStore, client: Any, prefix: str, alias: str, message: str
) -> None:
    target = store.load()[0].kms_id  # type: ignore[attr-defined]
    client.create_alias(AliasName=f"alias/{prefix}/{alias}", TargetKeyId=target)
    with pytest.raises(KmsKeyAltered, match=message):
        store.load()


def test_a_tag_that_is_no_time_is_noticed(ring: KeyRing, store: KmsKeyStore, client: Any) -> None:
    target = store.load()[0].kms_id  # type: ignore[attr-defined]
    client.tag_resource(KeyId=target, Tags=[{"TagKey": "assent:not-after", "TagValue": "soon"}])
    with pytest.raises(KmsKeyAltered, match="not as they were made"):
        store.load()


def test_a_key_of_another_kind_is_noticed(store: KmsKeyStore, client: Any, prefix: str) -> None:
    made = client.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")["KeyMetadata"]["KeyId"]
    client.create_alias(AliasName=f"alias/{prefix}/permit/0000000000000000", TargetKeyId=made)
    with pytest.raises(KmsKeyAltered, match="neither P-256 nor Ed25519"):
        store.load()


def test_a_refusal_of_kms_is_named(ring: KeyRing, store: KmsKeyStore) -> None:
    gone = replace(store.load()[0], kms_id="00000000-0000-0000-0000-000000000000")
    with pytest.raises(KmsFailed, match="AWS KMS refused Sign: NotFoundException") as caught:
        gone.sign(MESSAGE)
    assert caught.value.details == {"operation": "Sign", "aws_code": "NotFoundException"}


def test_kms_that_does_not_answer_is_named(prefix: str) -> None:
    store = KmsKeyStore(client_of("http://127.0.0.1:9"), prefix=prefix)
    with pytest.raises(KmsFailed, match="does not answer"):
        store.load()


P256 = generate_private_key(SECP256R1())
LONG = bytes(MAX_RAW_BYTES + 1)


def test_ecdsa_over_a_longer_message_is_asked_for_by_its_digest(store: KmsKeyStore, stubbed: Stubber) -> None:
    """moto hashes a digest once more, so this is held against AWS's description of the service."""
    spki = P256.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    stubbed.add_response("create_key", {"KeyMetadata": {"KeyId": STUB_ID}}, None)
    stubbed.add_response("get_public_key", {"KeyId": STUB_ID, "PublicKey": spki}, {"KeyId": STUB_ID})
    request = {"MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256", "Message": sha256(LONG).digest()}
    signature = P256.sign(LONG, ECDSA(SHA256()))
    stubbed.add_response("sign", {"KeyId": STUB_ID, "Signature": signature}, {"KeyId": STUB_ID, **request})
    key = store.generate(KeyPlan(PERMIT, START, development=False))
    assert key.is_signed(LONG, key.sign(LONG))


@pytest.fixture
def stubbed(client: Any) -> Iterator[Stubber]:
    """Answer in place of KMS; requests and answers are held against AWS's own description of the service."""
    with Stubber(client) as stubber:
        yield stubber


def stub_creation(stubber: Stubber, private: Ed25519PrivateKey) -> None:
    made_with = {
        "KeyUsage": "SIGN_VERIFY",
        "KeySpec": "ECC_NIST_EDWARDS25519",
        "Description": "Assent signs with it for 'checkpoint'",
        "Tags": [{"TagKey": "assent:not-before", "TagValue": "2026-03-01T12:00:00.000000Z"}],
    }
    spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    stubber.add_response("create_key", {"KeyMetadata": {"KeyId": STUB_ID}}, made_with)
    answer = {"KeyId": STUB_ID, "PublicKey": spki}
    stubber.add_response("get_public_key", answer, {"KeyId": STUB_ID})


CHECKPOINT_PLAN = KeyPlan(KeyPurpose.CHECKPOINT, START, development=False)


def signing_request(message: bytes) -> dict[str, Any]:
    return {"KeyId": STUB_ID, "Message": message, "MessageType": "RAW", "SigningAlgorithm": "ED25519_SHA_512"}


def test_checkpoints_are_signed_with_ed25519_over_the_message_itself(store: KmsKeyStore, stubbed: Stubber) -> None:
    private = Ed25519PrivateKey.generate()
    stub_creation(stubbed, private)
    answer = {"KeyId": STUB_ID, "Signature": private.sign(MESSAGE), "SigningAlgorithm": "ED25519_SHA_512"}
    stubbed.add_response("sign", answer, signing_request(MESSAGE))
    key = store.generate(CHECKPOINT_PLAN)
    assert key.info.algorithm is KeyAlgorithm.ED25519
    assert key.sign(MESSAGE) == private.sign(MESSAGE)
    stubbed.assert_no_pending_responses()


def test_an_ed25519_key_is_read_back_by_its_alias(store: KmsKeyStore, stubbed: Stubber, prefix: str) -> None:
    private = Ed25519PrivateKey.generate()
    stub_creation(stubbed, private)
    key = store.generate(CHECKPOINT_PLAN)
    alias = {"AliasName": f"alias/{prefix}/checkpoint/{key.info.key_id}", "TargetKeyId": STUB_ID}
    tags = [{"TagKey": "assent:not-before", "TagValue": "2026-03-01T12:00:00.000000Z"}]
    stubbed.add_response("list_aliases", {"Aliases": [{"AliasName": "alias/aws/s3"}, alias]}, {})
    stubbed.add_response("list_resource_tags", {"Tags": tags}, {"KeyId": STUB_ID})
    (loaded,) = store.load()
    assert loaded == key


def test_aliases_come_in_pages(store: KmsKeyStore, stubbed: Stubber) -> None:
    first = {"Aliases": [{"AliasName": "alias/aws/s3"}], "Truncated": True, "NextMarker": "more"}
    stubbed.add_response("list_aliases", first, {})
    stubbed.add_response("list_aliases", {"Aliases": [], "Truncated": False}, {"Marker": "more"})
    assert store.load() == ()
    stubbed.assert_no_pending_responses()


def test_a_message_that_is_too_long_for_ed25519_is_refused_before_kms_is_asked(
    store: KmsKeyStore, stubbed: Stubber
) -> None:
    stub_creation(stubbed, Ed25519PrivateKey.generate())
    key = store.generate(CHECKPOINT_PLAN)
    with pytest.raises(KmsMessageTooLong, match="at most 4096 bytes with Ed25519, not 4097"):
        key.sign(LONG)


def test_a_signature_of_another_key_is_not_passed_on(store: KmsKeyStore, stubbed: Stubber) -> None:
    stub_creation(stubbed, Ed25519PrivateKey.generate())
    answer = {"KeyId": STUB_ID, "Signature": Ed25519PrivateKey.generate().sign(MESSAGE)}
    stubbed.add_response("sign", answer, signing_request(MESSAGE))
    key = store.generate(CHECKPOINT_PLAN)
    with pytest.raises(KmsKeyAltered, match="does not verify"):
        key.sign(MESSAGE)


@pytest.mark.parametrize("answered", [b"", b"no DER", bytes.fromhex("3026022100") + b"\xff" * 33 + b"\x02\x01\x01"])
def test_an_ecdsa_signature_that_is_none_is_not_passed_on(
    ring: KeyRing, store: KmsKeyStore, client: Any, answered: bytes
) -> None:
    key = store.load()[0]
    client.sign = lambda **_: {"Signature": answered}
    with pytest.raises(KmsKeyAltered, match="does not verify"):
        key.sign(MESSAGE)
