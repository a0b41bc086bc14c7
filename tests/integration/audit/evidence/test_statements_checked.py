"""That every test is under watch: an unfit statement is never signed, and never goes unnoticed."""

from contextlib import suppress
from typing import Any

import pytest

from tests.factories.audit import example_predicate, issued_evidence
from tests.predicates import StatementUnfit, signed_statements_checked

pytestmark = [pytest.mark.django_db, pytest.mark.odd_statements]
UNFIT: list[dict[str, Any]] = [
    {"predicate": {}},
    {"predicate": example_predicate("job-outcome/v1", intruder=1)},
    {"predicate": example_predicate("job-outcome/v1", task=None)},
    {"statement_subject": [{"name": "request", "digest": {"sha256": "ab" * 32}}]},
    {"statement_subject": [{"name": "output", "digest": {"sha1": "ab" * 20}}]},
    {"predicate_type": "https://assent.dev/predicates/nothing/v1"},
    {"outcome": "denied"},
]


def test_a_fit_statement_is_signed() -> None:
    with signed_statements_checked():
        assert issued_evidence().outcome == "released"


@pytest.mark.parametrize("given", UNFIT)
def test_an_unfit_statement_is_refused_on_the_spot(given: dict[str, Any]) -> None:
    with pytest.raises(StatementUnfit), signed_statements_checked():
        issued_evidence(**given)


def test_an_unfit_statement_is_noticed_though_its_error_was_swallowed() -> None:
    with pytest.raises(StatementUnfit, match="job-outcome/v1"), signed_statements_checked(), suppress(StatementUnfit):
        issued_evidence(predicate={})
