"""Fixtures of the rulebook's tests."""

from collections.abc import Iterator

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser

from governance.engines.ports import policy_engine
from governance.engines.rego import RegoEngine
from governance.keys.ring import KeyRing, key_ring
from governance.rulebook.queries import load_program
from tests.factories.keys import development_ring


@pytest.fixture(autouse=True)
def ring() -> Iterator[KeyRing]:
    """Sign with fresh keys, decide with an engine of our own, and remember no program of another test."""
    load_program.cache_clear()
    with key_ring.override(development_ring()) as ring, policy_engine.override(RegoEngine()):
        yield ring
    load_program.cache_clear()


@pytest.fixture
def author(db: None) -> AbstractBaseUser:
    return get_user_model().objects.create_user(username="policy-author")
