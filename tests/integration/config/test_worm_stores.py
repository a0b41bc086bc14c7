"""Which WORM store the settings choose."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from governance.audit.ports import worm_store
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.audit.stores.s3 import S3WormStore
from governance.config.wiring import bind_all


@pytest.fixture(autouse=True)
def bound_again() -> Iterator[None]:
    bind_all()
    yield
    bind_all()


def test_a_directory_is_the_default(settings: Any, tmp_path: Path) -> None:
    settings.ASSENT_WORM_DIR = tmp_path / "worm"

    assert isinstance(worm_store.get(), FilesystemWormStore)


def test_a_bucket_is_named_with_its_folder_and_server(settings: Any) -> None:
    settings.ASSENT_WORM_STORE = "s3"
    settings.ASSENT_WORM_S3_BUCKET = "evidence"
    settings.ASSENT_WORM_S3_PREFIX = "/assent/"
    settings.ASSENT_WORM_S3_ENDPOINT = "https://s3.example:9000"
    settings.ASSENT_WORM_S3_MODE = "governance"

    store = worm_store.get()

    assert isinstance(store, S3WormStore)
    assert store._bucket.uri_prefix == "s3://evidence/assent/"
    assert store._bucket._client.meta.endpoint_url == "https://s3.example:9000"
    assert store._mode == "governance"
