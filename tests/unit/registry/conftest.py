from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture
def object_root(tmp_path: Path, settings: Settings) -> Path:
    """Return the directory of an object store of this test alone."""
    root = tmp_path / "objects"
    objects = settings.STORAGES["objects"]
    options = objects["OPTIONS"] | {"location": str(root)}
    settings.STORAGES = settings.STORAGES | {"objects": objects | {"OPTIONS": options}}
    return root


@pytest.fixture
def cache(tmp_path: Path, settings: Settings) -> Path:
    """Return the artifact cache of this test alone; it is not there yet."""
    settings.DATA_DIR = tmp_path / "data"
    return tmp_path / "data" / "artifacts"
