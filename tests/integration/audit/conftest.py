"""A key ring and a WORM store for each test of the audit area."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from governance.audit.log import log_guard
from governance.audit.log.log_guard import Patrol
from governance.audit.ports import worm_store
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.keys.ring import KeyRing, key_ring
from tests.factories.keys import development_ring
from tests.log_damage import ORIGIN
from tests.s3 import S3Server, seaweedfs


@pytest.fixture(autouse=True)
def ring() -> Iterator[KeyRing]:
    with key_ring.override(development_ring()) as ring:
        yield ring


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Return a real S3 server with Object Lock."""
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as running:
        yield running


@pytest.fixture
def worm_root(tmp_path: Path) -> Path:
    return tmp_path / "worm"


@pytest.fixture(autouse=True)
def store(worm_root: Path) -> Iterator[FilesystemWormStore]:
    store = FilesystemWormStore(worm_root)
    with worm_store.override(store):
        yield store


@pytest.fixture
def own_log(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> None:
    """Let a test have a log without witnesses, and begin its round of old entries at the first."""
    monkeypatch.setattr(log_guard, "patrol", Patrol())
    settings.ASSENT_LOG_ORIGIN = ORIGIN
    settings.ASSENT_WITNESSES = []
    settings.ASSENT_WITNESS_QUORUM = 0
