"""What a rotation and a revocation mean to somebody with a receipt, a trust file and the offline verifier."""

import pytest
from django.db import transaction

from governance.audit.evidence.receipts import receipt_file, record_with_receipt
from governance.audit.log.key_history import announce_keys
from governance.audit.log.sequencer import sequence_pending
from governance.audit.log.trust import trust_file
from governance.audit.models import LedgerEntry, Receipt
from governance.audit.types import Actor
from governance.kernel.canonical import canonical_json
from governance.keys.ring import KeyPurpose, KeyRing
from governance.transparency.verifier import Status, Verdict, verify
from tests.factories.audit import SubjectRefFactory, example_predicate, uploaded
from tests.factories.checkpoints import make_checkpoint

pytestmark = pytest.mark.django_db

RECEIPT = KeyPurpose.RECEIPT


def signed() -> Receipt:
    """Sign a receipt, and give its entry a place in the log."""
    with transaction.atomic():
        receipt = record_with_receipt(
            uploaded(),
            subject=SubjectRefFactory(type="asset"),
            actor=Actor("system", "tests"),
            statement_subject=[{"name": "upload", "digest": {"sha256": "ab" * 32}}],
            predicate=example_predicate("upload/v1"),
        )
    sequence_pending()
    return receipt


def verdict(receipt: Receipt) -> Verdict:
    return verify(canonical_json(receipt_file(receipt)), None, trust_file())


def test_nothing_stops_when_keys_are_rotated_and_old_receipts_stay_valid(ring: KeyRing) -> None:
    announce_keys()
    receipts = [signed()]
    for purpose in (RECEIPT, KeyPurpose.CHECKPOINT, RECEIPT):
        make_checkpoint()
        ring.rotate(purpose=purpose)
        announce_keys()
        receipts.append(signed())
    make_checkpoint()

    assert [verdict(receipt).status for receipt in receipts] == [Status.VALID] * 4
    assert len({receipt.key_id for receipt in receipts}) == 3


def test_a_revoked_key_stops_at_its_place_and_no_earlier(ring: KeyRing) -> None:
    announce_keys()
    before = signed()
    key_id = ring.current(purpose=RECEIPT).key_id
    ring.revoke(key_id=key_id)
    announce_keys()
    ring.rotate(purpose=RECEIPT)
    announce_keys()
    after = signed()
    make_checkpoint()

    assert verdict(before).status is Status.VALID
    assert verdict(after).status is Status.VALID
    assert after.key_id != key_id


def test_what_a_thief_signs_after_the_theft_is_refused_even_before_it_was_noticed(ring: KeyRing) -> None:
    announce_keys()
    before = signed()
    noticed_later = LedgerEntry.objects.order_by("-index").first()
    stolen_at = noticed_later.sequenced_at
    forged = signed()
    make_checkpoint()
    assert verdict(forged).status is Status.VALID

    ring.revoke(key_id=forged.key_id, since=stolen_at)

    found = verdict(forged)
    assert (found.status, found.failed.name) == (Status.INVALID, "key")
    assert verdict(before).status is Status.VALID


def test_a_trust_file_from_before_a_rotation_does_not_know_the_new_key(ring: KeyRing) -> None:
    announce_keys()
    old_trust = trust_file()
    receipt_key = ring.rotate(purpose=RECEIPT)
    announce_keys()
    receipt = signed()
    make_checkpoint()
    assert receipt.key_id == receipt_key.key_id

    found = verify(canonical_json(receipt_file(receipt)), None, old_trust)

    assert (found.status, found.failed.name) == (Status.INVALID, "signature")
    assert verdict(receipt).status is Status.VALID
