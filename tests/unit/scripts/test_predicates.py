"""docs/predicates.md says what the schemas say."""

from pathlib import Path

import pytest

from governance.transparency.predicates.catalogue import all_predicates
from governance.transparency.predicates.fields import own_fields
from scripts import predicates
from scripts.stack.places import ROOT


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Have the page written to a place of its own."""
    monkeypatch.setattr(predicates, "ROOT", tmp_path)
    monkeypatch.setattr(predicates, "PAGE", tmp_path / "predicates.md")
    return tmp_path / "predicates.md"


def test_the_page_is_current() -> None:
    assert predicates.PAGE.read_text(encoding="utf-8") == predicates.page()


def test_the_page_has_every_field_of_every_predicate() -> None:
    page = predicates.page()
    paths = {field.path for each in all_predicates() for field in own_fields(each)}

    assert {path for path in paths if f"| `{path}` |" not in page} == set()


def test_the_receipt_docs_link_every_predicate() -> None:
    receipts = (ROOT / "docs" / "receipts.md").read_text(encoding="utf-8")
    links = [f"[`{each.name}`](predicates.md#{each.name.replace('/', '')})" for each in all_predicates()]

    assert [link for link in links if link not in receipts] == []


def test_a_page_that_is_not_current_is_noticed_and_written(elsewhere: Path) -> None:
    assert predicates.main(["--check"]) == 1
    elsewhere.write_text("old")
    assert predicates.main(["--check"]) == 1
    assert predicates.main([]) == 0
    assert predicates.main(["--check"]) == 0
