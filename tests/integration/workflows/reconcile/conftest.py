"""A marketplace in which everything that can happen did happen, and all of it is on record."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from governance.audit.ports import worm_store
from governance.audit.stores.filesystem import FilesystemWormStore
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
def history(django_db_setup, django_db_blocker, private_data) -> Iterator[History]:
    """Return what happened, committed once for all tests of the module: those change it only until they end.

    Afterwards the database is as it was: with what migrations put there, which other tests count on.
    """
    with django_db_blocker.unblock():
        before = connection.creation.serialize_db_to_string()
        yield make_history()
        call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)
        connection.creation.deserialize_db_from_string(before)
