"""A key ring and a WORM store for each test of a command."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.audit.ports import worm_store
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.keys.ring import KeyRing, key_ring
from tests.factories.keys import development_ring


@pytest.fixture(autouse=True)
def ring() -> Iterator[KeyRing]:
    with key_ring.override(development_ring()) as ring:
        yield ring


@pytest.fixture
def worm_root(tmp_path: Path) -> Path:
    return tmp_path / "worm"


@pytest.fixture(autouse=True)
def store(worm_root: Path) -> Iterator[FilesystemWormStore]:
    store = FilesystemWormStore(worm_root)
    with worm_store.override(store):
        yield store
