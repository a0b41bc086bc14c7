from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django import Settings

from governance.keys.ring import KeyRing, key_ring
from tests.factories.keys import development_ring


@pytest.fixture(autouse=True)
def ring() -> Iterator[KeyRing]:
    """Sign with keys that are older than any time at which these tests stop the clock."""
    with key_ring.override(development_ring(since=datetime(2020, 1, 1, tzinfo=UTC))) as ring:
        yield ring


@pytest.fixture
def object_root(tmp_path: Path, settings: Settings) -> Path:
    """Return the directory of an object store of this test alone."""
    root = tmp_path / "objects"
    objects = settings.STORAGES["objects"]
    options = objects["OPTIONS"] | {"location": str(root)}
    settings.STORAGES = settings.STORAGES | {"objects": objects | {"OPTIONS": options}}
    return root
