import pytest

from governance.kernel import errors
from governance.kernel.errors import GovernanceError, InvalidInput

CATEGORIES = [
    (errors.InvalidInput, "invalid_input"),
    (errors.Unauthenticated, "unauthenticated"),
    (errors.Forbidden, "forbidden"),
    (errors.NotFound, "not_found"),
    (errors.Conflict, "conflict"),
    (errors.LimitExceeded, "limit_exceeded"),
    (errors.Unavailable, "unavailable"),
    (errors.IntegrityFault, "integrity_fault"),
]


@pytest.mark.parametrize(("category", "code"), CATEGORIES)
def test_every_category_has_a_stable_code_and_a_title(category: type[GovernanceError], code: str) -> None:
    error = category("A sentence.")

    assert isinstance(error, GovernanceError)
    assert error.error_code == category.code == code
    assert error.title
    assert str(error) == error.message == "A sentence."
    assert error.details == {}


def test_a_leaf_may_name_a_finer_code_and_details() -> None:
    given = {"field": "name"}
    error = InvalidInput("Too long.", code="name_too_long", details=given)
    given["field"] = "changed later"

    assert error.error_code == "name_too_long"
    assert InvalidInput.code == "invalid_input"
    assert error.details == {"field": "name"}
