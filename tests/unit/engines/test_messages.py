"""Messages that quote facts."""

from typing import Any

import pytest

from governance.engines.messages import placeholders, render


def test_placeholders_are_found_in_order() -> None:
    assert placeholders("No {purpose} in {subject.region}, {Not} {} {a.b_c1}") == (
        "purpose",
        "subject.region",
        "a.b_c1",
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [("DE", "DE"), (None, "none"), (True, "yes"), (False, "no"), (3, "3"), (["a", "b"], "a, b"), ((), "none")],
)
def test_facts_fill_the_placeholders(value: Any, text: str) -> None:
    assert render("Region {subject.region}.", {"subject": {"region": value}}) == f"Region {text}."


@pytest.mark.parametrize("facts", [{}, {"subject": {}}, {"subject": None}])
def test_an_absent_fact_reads_unknown(facts: dict[str, Any]) -> None:
    assert render("Region {subject.region}.", facts) == "Region unknown."


def test_placeholders_in_facts_are_not_replaced() -> None:
    assert render("{a}", {"a": "{b}", "b": "x"}) == "{b}"
