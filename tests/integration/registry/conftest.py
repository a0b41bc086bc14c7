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
