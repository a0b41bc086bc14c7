"""How facts reach the embedded interpreter: exactly, or not at all."""

from math import nextafter
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from regopy import Interpreter

from governance.engines.numbers import decided_number
from governance.engines.rego_input import FactMissing, fact_tree, set_facts, slice_facts
from governance.engines.rego_writer import NotRepresentable
from tests.effort import examples

ECHO = 'package t\n\nout := {"seen": input}\n'
SIGNS = """package t

out contains "<" if input.a < input.b

out contains "<=" if input.a <= input.b

out contains "==" if input.a == input.b

out contains "in" if input.a in {input.b}
"""
STRINGS = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ["a\0b", "\\u0041", '{"a":1}', '"', "\\", "\n", "undefined", "\u2028", "😀"]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-1e9, 1e9).map(decided_number)
    | STRINGS
)
FACTS = st.dictionaries(STRINGS, LEAVES | st.lists(LEAVES, max_size=4) | st.dictionaries(STRINGS, LEAVES, max_size=3))


def echo(facts: Any) -> Any:
    interpreter = Interpreter()
    interpreter.add_module("t.rego", ECHO)
    bundle = interpreter.build(None, ["t/out"])
    set_facts(interpreter, facts)
    return interpreter.query_bundle_entrypoint(bundle, "t/out")[0].expressions[0]["seen"]


@given(FACTS)
@settings(max_examples=examples(200))
def test_rego_sees_exactly_the_facts_that_were_given(facts: dict[str, Any]) -> None:
    assert echo(facts) == facts


@pytest.mark.parametrize("fraction", [0.599999999999999, 0.3, 1e-300, 123456.789])
def test_fractions_keep_their_digits(fraction: float) -> None:
    assert echo({"score": fraction, "nested": MappingProxyType({"a": 1})}) == {"score": fraction, "nested": {"a": 1}}


@pytest.mark.parametrize(("given_number", "decided"), [(0.1 + 0.2, 0.3), (0.5999999999999999, 0.6), (3 - 4e-16, 3)])
def test_fractions_are_compared_at_fifteen_digits(given_number: float, decided: float) -> None:
    assert echo({"score": given_number}) == {"score": decided}


NUMBERS = st.floats(-1e9, 1e9) | st.floats(0, 1) | st.sampled_from([0.6, 0.3])


@given(NUMBERS, NUMBERS, st.booleans())
@settings(max_examples=examples(200))
def test_rego_orders_numbers_as_they_are_decided(low: float, high: float, near: bool) -> None:
    high = nextafter(low, 2e9) if near else high
    interpreter = Interpreter()
    interpreter.add_module("t.rego", SIGNS)
    bundle = interpreter.build(None, ["t/out"])
    set_facts(interpreter, {"a": low, "b": high})

    seen = interpreter.query_bundle_entrypoint(bundle, "t/out")[0].expressions[0]

    a, b = decided_number(low), decided_number(high)
    expected = {"<": a < b, "<=": a <= b, "==": a == b, "in": a == b}
    assert set(seen) == {sign for sign, holds in expected.items() if holds}


@pytest.mark.parametrize(
    "value",
    [2**53, -(2**53), 1e300, float("nan"), float("inf"), "\ud800", {1: "x"}, {"\ud800": 1}, object(), b"x", {"a"}],
)
def test_what_json_cannot_hold_exactly_is_refused(value: Any) -> None:
    with pytest.raises(NotRepresentable):
        echo({"fact": value})


def test_tuples_are_lists_and_whole_floats_are_integers() -> None:
    assert echo({"a": (1, 2), "b": 3.0}) == {"a": [1, 2], "b": 3}


def test_only_the_facts_that_a_module_reads_are_passed_on() -> None:
    tree = fact_tree([("a", "b"), ("c",), ("c", "d"), ("e", "f", "g")])

    sliced = slice_facts({"a": {"b": 1, "x": 2}, "c": {"d": 3, "y": 4}, "e": {"f": {"g": 5}}, "z": 6}, tree)

    assert sliced == {"a": {"b": 1}, "c": {"d": 3, "y": 4}, "e": {"f": {"g": 5}}}


def test_a_module_that_reads_all_of_input_gets_all_of_it() -> None:
    facts = {"a": 1}

    assert slice_facts(facts, fact_tree([("b",), ()])) is facts


def test_a_module_that_reads_nothing_gets_nothing() -> None:
    assert slice_facts({"a": 1}, fact_tree([])) == {}


@pytest.mark.parametrize(
    ("facts", "path"),
    [({}, "a"), ({"a": {}}, "a.b"), ({"a": None}, "a.b"), ({"a": 1}, "a.b"), ({"a": {"b": {"x": 1}}}, "a.b.c")],
)
def test_a_fact_that_is_read_but_not_given_is_named(facts: dict[str, Any], path: str) -> None:
    with pytest.raises(FactMissing) as missing:
        slice_facts(facts, fact_tree([("a", "b", "c")]))

    assert missing.value.path == path
