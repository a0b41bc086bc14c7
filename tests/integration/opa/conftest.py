"""Fixtures of the OPA area's tests."""

from collections.abc import Iterator

import pytest

from governance.keys.ring import KeyRing, key_ring
from governance.opa import queries
from governance.opa.models import OpaServer
from governance.opa.services import enrol
from governance.rulebook.queries import load_program
from tests.factories.keys import development_ring
from tests.factories.marketplace import TESTER


@pytest.fixture(autouse=True)
def ring() -> Iterator[KeyRing]:
    """Sign with fresh keys, and remember neither program nor bundle of another test."""
    with key_ring.override(development_ring()) as ring:
        load_program.cache_clear()
        queries._bundle.cache_clear()
        yield ring
    load_program.cache_clear()
    queries._bundle.cache_clear()


@pytest.fixture
def enrolled(db: None) -> tuple[OpaServer, str]:
    return enrol(name="edge-1", actor=TESTER)


@pytest.fixture
def server(enrolled: tuple[OpaServer, str]) -> OpaServer:
    return enrolled[0]


@pytest.fixture
def bearer(enrolled: tuple[OpaServer, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {enrolled[1]}"}
