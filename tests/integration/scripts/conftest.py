"""Homes for servers under test."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.stack.places import remove_tree


@contextmanager
def new_home() -> Iterator[Path]:
    """Make a directory that every system user can enter, as a checkout usually is, and remove it with all in it."""
    directory = Path(tempfile.mkdtemp(prefix="assent-test-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        remove_tree(directory)


@pytest.fixture
def home() -> Iterator[Path]:
    """A home for one test."""
    with new_home() as directory:
        yield directory


@pytest.fixture(scope="module")
def shared_home() -> Iterator[Path]:
    """A home for the tests of one module."""
    with new_home() as directory:
        yield directory
