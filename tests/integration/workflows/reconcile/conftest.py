"""A marketplace in which everything that can happen did happen, and all of it is on record."""

from collections.abc import Iterator

import pytest

from governance.audit.ports import worm_store
from governance.audit.sequencer import sequence_pending
from governance.audit.worm_filesystem import FilesystemWormStore
from tests.factories.marketplace import Marketplace, finish, make_marketplace


@pytest.fixture(autouse=True)
def private_data(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    objects = settings.STORAGES["objects"]
    options = objects["OPTIONS"] | {"location": str(tmp_path / "objects")}
    settings.STORAGES = settings.STORAGES | {"objects": objects | {"OPTIONS": options}}
    with worm_store.override(FilesystemWormStore(tmp_path / "worm")):
        yield tmp_path


@pytest.fixture(autouse=True)
def sent(monkeypatch) -> Iterator[None]:
    monkeypatch.setattr("celery.current_app.send_task", lambda *args, **options: None)


@pytest.fixture
def market(transactional_db, private_data) -> Marketplace:
    return make_marketplace()


@pytest.fixture
def released(market):
    job = finish(market.submit().job.id)
    sequence_pending()
    return job
