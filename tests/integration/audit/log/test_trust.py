"""The trust file names what a verifier needs, and only what this installation's keys can answer for."""

import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.db import transaction

from governance.audit.entries import KeyAnnounced
from governance.audit.log.key_history import KEY
from governance.audit.log.trust import predicates_of, trust_document, trust_file
from governance.audit.models import OutboxEntry
from governance.audit.recording.record import record
from governance.audit.types import Actor, SubjectRef
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.keys.ring import KeyPurpose, KeyRing, PublicKeyInfo
from governance.transparency.notes import parse_vkey
from governance.transparency.predicates.catalogue import all_predicates
from tests.factories.keys import development_ring

pytestmark = pytest.mark.django_db

WITNESS = "witness.example/one+b2bb1ac0+BPBfv+JZw8OiK4xVYi9gSF6mKHZTT0LLu+6CAZGqGkFR"


def test_log_keys_are_verifier_keys_under_the_origin(ring: KeyRing, settings: Any) -> None:
    settings.ASSENT_LOG_ORIGIN = "log.example/assent"
    document = trust_document()
    (key,) = document["log_keys"]
    parsed = parse_vkey(key["vkey"])
    signer = ring.current(purpose=KeyPurpose.CHECKPOINT)
    assert parsed.name == document["origin"] == "log.example/assent"
    assert parsed.public == load_pem_public_key(signer.public_pem.encode()).public_bytes_raw()
    assert (key["key_id"], key["from_index"], key["until_index"]) == (signer.key_id, 0, None)


def test_only_keys_that_sign_statements_are_named_with_what_each_may_say(ring: KeyRing) -> None:
    keys = {key["purpose"]: key for key in trust_document()["keys"]}
    assert set(keys) == {"evidence", "receipt"}
    assert keys["evidence"]["predicates"] == ["https://assent.dev/predicates/job-outcome/v1"]
    assert len(keys["receipt"]["predicates"]) == len(predicates_of(KeyPurpose.RECEIPT))
    assert keys["receipt"]["public_pem"] == ring.current(purpose=KeyPurpose.RECEIPT).public_pem
    assert keys["receipt"]["development"]
    assert keys["receipt"]["revoked_from_index"] is None


def test_witnesses_and_their_quorum_are_named(settings: Any) -> None:
    settings.ASSENT_WITNESSES = [{"name": "witness.example/one", "url": "https://witness.example", "vkey": WITNESS}]
    settings.ASSENT_WITNESS_QUORUM = 1
    assert trust_document()["witnesses"] == {"threshold": 1, "keys": [WITNESS]}


def _announce(key: PublicKeyInfo, *, as_key: str) -> None:
    entry = KeyAnnounced(
        purpose="receipt",
        algorithm=key.algorithm.value,
        public_pem=key.public_pem,
        development=False,
        from_index=0,
    )
    with transaction.atomic():
        record(entry, subject=SubjectRef(KEY, as_key), actor=Actor("system", "x"))


def test_a_key_that_the_log_tells_of_and_the_ring_does_not_hold_is_not_trusted() -> None:
    foreign = development_ring().current(purpose=KeyPurpose.RECEIPT)
    _announce(foreign, as_key=foreign.key_id)
    assert foreign.key_id not in {key["key_id"] for key in trust_document()["keys"]}


def test_a_key_whose_announcement_names_another_public_key_is_not_trusted(ring: KeyRing) -> None:
    ours = ring.current(purpose=KeyPurpose.RECEIPT)
    foreign = development_ring().current(purpose=KeyPurpose.RECEIPT)
    _announce(foreign, as_key=ours.key_id)
    assert [key["purpose"] for key in trust_document()["keys"]] == ["evidence"]


def test_rotated_and_revoked_keys_stay_named_with_their_ends(ring: KeyRing) -> None:
    old = ring.current(purpose=KeyPurpose.RECEIPT).key_id
    ring.rotate(purpose=KeyPurpose.RECEIPT)
    ring.revoke(key_id=old)
    ends = {key["key_id"]: key["revoked_from_index"] for key in trust_document()["keys"]}
    assert len(ends) == 3
    assert ends[old] == 0


def test_the_file_is_canonical_json_with_a_newline() -> None:
    data = trust_file()
    assert data.endswith(b"}\n")
    assert json.loads(data)["format"] == "assent-trust/1"


def test_the_same_trust_has_the_same_bytes_until_a_key_changes(ring: KeyRing) -> None:
    first = trust_file()
    with clock.using(ManualClock(clock.now() + timedelta(minutes=1))):
        assert trust_file() == first
        ring.rotate(purpose=KeyPurpose.RECEIPT)
        assert trust_file() != first


def test_without_announcing_nothing_is_recorded_and_unknown_keys_are_left_out() -> None:
    assert trust_document(announce=False)["keys"] == []
    assert not OutboxEntry.objects.exists()


def test_the_statements_that_keys_may_sign_are_those_that_have_a_schema() -> None:
    may_be_signed = {predicate for key in trust_document()["keys"] for predicate in key["predicates"]}

    assert may_be_signed == {each.type for each in all_predicates()}
