"""What the receipt of a policy in force says."""

import pytest

from governance.audit.models import Receipt
from governance.audit.types import Actor
from governance.kernel.canonical import sha256_hex
from governance.rulebook.activation import publish_without_review
from tests.receipts import statement_in

pytestmark = pytest.mark.django_db


def test_a_policy_in_force_has_a_receipt_of_its_content() -> None:
    revision = publish_without_review(actor=Actor("system", "seed"), note="words of people stay inside")

    receipt = Receipt.objects.get(kind="revision.activated")
    statement = statement_in(receipt)
    assert (receipt.subject_type, receipt.subject_id) == ("revision", revision.digest)
    assert statement["predicateType"] == "https://assent.dev/predicates/policy-activation/v1"
    assert statement["subject"] == [{"name": "policy", "digest": {"sha256": sha256_hex(revision.content.encode())}}]
    about = statement["predicate"].pop("receipt")
    assert about["kind"] == "revision.activated"
    assert statement["predicate"] == {
        "number": revision.number,
        "digest": revision.digest,
        "rules": revision.rule_count,
        "kind": "unreviewed",
        "replaced": "",
    }
