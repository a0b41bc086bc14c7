"""Adapters by name."""

import sys

import pytest

from governance.kernel.adapters import Adapters, AdapterUnknown, Place

TABLE: Adapters[object] = Adapters(
    "colour space", {"small": Place("colorsys:rgb_to_hsv", "Small"), "large": Place("colorsys:missing", "Large")}
)


def test_names_and_titles_need_no_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)

    assert TABLE.names == ("small", "large")
    assert TABLE.titles == {"small": "Small", "large": "Large"}
    assert "colorsys" not in sys.modules


def test_adapter_is_imported_when_asked_for() -> None:
    assert callable(TABLE.get("small"))


def test_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(AdapterUnknown, match=r"no colour space 'medium'\. Known: small, large\."):
        TABLE.get("medium")


def test_wrong_table_is_an_error_of_its_own() -> None:
    with pytest.raises(AttributeError):
        TABLE.get("large")
