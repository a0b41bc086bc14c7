"""A home for servers under test."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.stack.places import remove_tree


@pytest.fixture
def home() -> Iterator[Path]:
    """A new directory that every system user can enter, as a checkout usually is; removed with all in it."""
    directory = Path(tempfile.mkdtemp(prefix="assent-test-"))
    directory.chmod(0o755)
    yield directory
    remove_tree(directory)
