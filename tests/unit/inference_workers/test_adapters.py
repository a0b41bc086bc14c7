"""Each folder of adapters and its table say the same."""

from pathlib import Path

import pytest

from governance.kernel.adapters import Adapters
from inference_workers import moderators, obligations, runtimes
from inference_workers.moderators import MODERATORS
from inference_workers.obligations import HANDLERS
from inference_workers.runtimes import RUNTIMES

TABLES = [RUNTIMES, MODERATORS, HANDLERS]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.noun)
def test_every_name_leads_to_an_adapter(table: Adapters[object]) -> None:
    assert table.names
    assert all(table.get(name) is not None for name in table.names)
    assert all(table.titles.values())


@pytest.mark.parametrize("package", [runtimes, moderators, obligations], ids=lambda package: package.__name__)
def test_the_table_needs_none_of_the_heavy_libraries(package: object) -> None:
    """A web process lists the names, and must not load a model library for it."""
    source = Path(str(package.__file__)).read_text(encoding="utf-8")

    assert not {"torch", "onnxruntime", "numpy"} & set(source.split())
