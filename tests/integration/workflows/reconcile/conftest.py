"""A marketplace in which everything that can happen did happen, and all of it is on record."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from governance.audit.ports import worm_store
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.kernel import clock
from tests.clocks import StandingClock
from tests.database import MigratedDatabase
from tests.factories.history import History, make_history


def _storages(root: Path) -> dict[str, object]:
    objects = django_settings.STORAGES["objects"]
    options = objects["OPTIONS"] | {"location": str(root / "objects")}
    return django_settings.STORAGES | {"objects": objects | {"OPTIONS": options}}


@pytest.fixture(scope="module", autouse=True)
def private_data(tmp_path_factory) -> Iterator[Path]:
    """Give each module its own object storage, WORM store and artifact cache, and send nothing to a broker."""
    root = tmp_path_factory.mktemp("history")
    with (
        override_settings(DATA_DIR=root, STORAGES=_storages(root)),
        worm_store.override(FilesystemWormStore(root / "worm")),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("celery.current_app.send_task", lambda *args, **options: None)
        yield root


@pytest.fixture(scope="module")
def moment() -> StandingClock:
    """Return the clock of the module: what is shared does not age while its tests run."""
    return StandingClock()


@pytest.fixture(autouse=True)
def standing_clock(moment: StandingClock) -> Iterator[None]:
    """Let time stand still at the module's moment."""
    with clock.using(moment):
        yield


@pytest.fixture(scope="module")
def history(
    migrated_database: MigratedDatabase, django_db_blocker: DjangoDbBlocker, private_data, moment
) -> Iterator[History]:
    """Return what happened, committed once for all tests of the module: those change it only until they end."""
    with django_db_blocker.unblock():
        with clock.using(moment):
            made = make_history()
        yield made
        migrated_database.restore()
