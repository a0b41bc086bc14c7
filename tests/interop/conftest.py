"""The checkers that we did not write."""

import pytest

from tests.interop.go_checker import GoChecker, build


@pytest.fixture(scope="session")
def go() -> GoChecker:
    """Return the program that checks by Go's own log libraries; compiled where that was not done before (10 s)."""
    return build()
