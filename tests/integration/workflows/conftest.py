"""Fixtures of the workflows' tests."""

import pytest

from governance.audit.ports import worm_store
from governance.audit.stores.filesystem import FilesystemWormStore
from tests.factories.marketplace import Marketplace


@pytest.fixture(autouse=True)
def private_data(settings, tmp_path):
    """Give each test its own object storage and artifact cache: some of them tamper with both."""
    settings.DATA_DIR = tmp_path
    objects = settings.STORAGES["objects"]
    options = objects["OPTIONS"] | {"location": str(tmp_path / "objects")}
    settings.STORAGES = settings.STORAGES | {"objects": objects | {"OPTIONS": options}}
    with worm_store.override(FilesystemWormStore(tmp_path / "worm")):
        yield tmp_path


@pytest.fixture
def market(transactional_db, private_data, marketplaces) -> Marketplace:
    return marketplaces.open("workflows", data=private_data)


@pytest.fixture(autouse=True)
def sent(monkeypatch) -> list[tuple[str, str]]:
    """Catch what is sent to the broker: (task, job id). The tests then play the workers themselves."""
    messages: list[tuple[str, str]] = []

    def catch(name, args=(), **options):
        messages.append((name, *args))

    monkeypatch.setattr("celery.current_app.send_task", catch)
    return messages
