"""docs/architecture.md lists the areas that import-linter orders, from the top down."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def documented() -> list[str]:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = page.split("## Areas")[1].split("\n## ")[0]
    return re.findall(r"^\| `([a-z_]+)` \|", section, flags=re.MULTILINE)


def ordered() -> list[set[str]]:
    """Return the layers of the first contract, each as the set of its areas."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (layers,) = [each["layers"] for each in contracts if each["name"] == "Imports go down only"]
    return [{area.strip().removeprefix("governance.") for area in layer.split("|")} for layer in layers]


def packages() -> set[str]:
    return {path.parent.name for path in (ROOT / "governance").glob("*/__init__.py")} | {"inference_workers"}


def test_every_area_has_a_layer() -> None:
    assert set().union(*ordered()) == packages()


def test_documented_areas_are_those_of_the_layers_in_their_order() -> None:
    remaining = documented()
    for layer in ordered():
        assert set(remaining[: len(layer)]) == layer
        remaining = remaining[len(layer) :]
    assert remaining == []
