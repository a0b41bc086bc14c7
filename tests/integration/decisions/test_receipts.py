"""What the receipt of a decision says, and what it keeps to itself."""

import json

import pytest

from governance.audit.models import Receipt
from governance.audit.types import Actor
from governance.decisions.choices import DecisionKind
from governance.decisions.services import decide
from governance.kernel.ids import new_id
from tests.receipts import statement_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def decision(context, asked):
    """Return an admission that was permitted."""
    actor = Actor("system", "tests")
    return decide(kind=DecisionKind.ADMISSION, job_id=new_id(), context=context, asked=asked, actor=actor)


def test_a_decision_has_a_receipt_of_the_facts_it_rests_on(decision):
    receipt = Receipt.objects.get(kind="decision.recorded")
    statement = statement_in(receipt)
    assert (receipt.subject_type, receipt.subject_id) == ("decision", str(decision.id))
    assert statement["predicateType"] == "https://assent.dev/predicates/decision/v1"
    assert statement["subject"] == [{"name": "facts", "digest": {"sha256": decision.facts_digest}}]
    said = statement["predicate"]
    assert (said["decision"], said["job"], said["effect"]) == (str(decision.id), str(decision.job_id), "permit")
    assert (said["partner"], said["client"], said["revision"]) == (
        decision.partner,
        decision.client_id,
        decision.revision_digest,
    )


def test_the_receipt_of_a_decision_names_no_creator(decision, market):
    said = json.dumps(statement_in(Receipt.objects.get(kind="decision.recorded")))
    assert market.creator.slug not in said
    assert market.creator.display_name not in said
