"""The JSON form of conditions."""

from typing import Any

import pytest
from hypothesis import given

from governance.rulebook.conditions import (
    MAX_DEPTH,
    MAX_NODES,
    MAX_VALUES,
    condition_json,
    parse_condition,
)
from governance.rulebook.errors import RuleInvalid
from governance.rulebook.types import All, Any_, Compare, Condition, Not, Operator
from tests.factories.rulebook import every_kind
from tests.factories.rulebook_laws import comparisons

LEAF = {"attr": "subject.region", "op": "eq", "value": "DE"}


def leaves(count: int) -> list[dict[str, Any]]:
    return [{"attr": "asset.width", "op": "eq", "value": number} for number in range(count)]


def nested(depth: int) -> dict[str, Any]:
    return LEAF if depth == 1 else {"not": nested(depth - 1)}


def test_every_form_is_read() -> None:
    data = {
        "all": [
            {"any": [LEAF, {"attr": "purpose", "op": "in", "other": "licence.purposes"}]},
            {"not": {"attr": "asset.dataset", "op": "exists"}},
            {"attr": "asset.width", "op": "between", "value": [1, 2.0]},
        ]
    }

    assert parse_condition(data) == All(
        (
            Any_(
                (
                    Compare("subject.region", Operator.EQ, "DE"),
                    Compare("purpose", Operator.IN, other="licence.purposes"),
                )
            ),
            Not(Compare("asset.dataset", Operator.EXISTS)),
            Compare("asset.width", Operator.BETWEEN, (1, 2)),
        )
    )


@given(comparisons(every_kind(), ["asset.infer"]))
def test_what_is_written_is_read_back(compare: Compare) -> None:
    condition: Condition = All((Not(compare), Any_((compare,))))

    assert parse_condition(condition_json(condition)) == condition


@pytest.mark.parametrize(
    ("data", "path", "part"),
    [
        (None, "condition", "is an object with"),
        ([], "condition", "is an object with"),
        ({}, "condition", "is an object with"),
        ({"all": []}, "condition.all", "At least one"),
        ({"any": {}}, "condition.any", "At least one"),
        ({"all": [LEAF], "any": [LEAF]}, "condition", "'any' does not belong here"),
        ({"not": LEAF, "op": "eq"}, "condition", "'op' does not belong here"),
        ({"all": [LEAF, LEAF]}, "condition.all[1]", "The same condition is already there"),
        ({"all": [LEAF, {"any": [LEAF, "x"]}]}, "condition.all[1].any[1]", "is an object with"),
        ({"attr": "a", "op": "eq", "vlaue": 1}, "condition", "'vlaue' does not belong here. Did you mean 'value'?"),
        ({"op": "eq", "value": 1}, "condition.attr", "A name is needed"),
        ({"attr": 3, "op": "eq", "value": 1}, "condition.attr", "A name is needed"),
        ({"attr": "", "op": "eq", "value": 1}, "condition.attr", "A name is needed"),
        ({"attr": "a\nb", "op": "eq", "value": 1}, "condition.attr", "A name is needed"),
        ({"attr": "a" * 201, "op": "eq", "value": 1}, "condition.attr", "A name is needed"),
        ({"attr": "a", "value": 1}, "condition.op", "A name is needed"),
        ({"attr": "a", "op": "equals", "value": 1}, "condition.op", "'equals' is not a known operator"),
        ({"attr": "a", "op": "startswith", "value": 1}, "condition.op", "Did you mean 'starts_with'?"),
        ({"attr": "a", "op": "eq"}, "condition.value", "either a value or another attribute"),
        ({"attr": "a", "op": "eq", "value": 1, "other": "b"}, "condition.value", "either a value or another"),
        ({"attr": "a", "op": "eq", "other": None}, "condition.other", "A name is needed"),
        ({"attr": "a", "op": "exists", "value": True}, "condition", "'value' does not belong here"),
        ({"attr": "a", "op": "eq", "value": None}, "condition.value", "use 'exists'"),
        ({"attr": "a", "op": "eq", "value": {}}, "condition.value", "A value is a text"),
        ({"attr": "a", "op": "eq", "value": ""}, "condition.value", "1 to 200 printable"),
        ({"attr": "a", "op": "eq", "value": "a\nb"}, "condition.value", "1 to 200 printable"),
        ({"attr": "a", "op": "eq", "value": "x" * 201}, "condition.value", "1 to 200 printable"),
        ({"attr": "a", "op": "eq", "value": 2**53}, "condition.value", "too large"),
        ({"attr": "a", "op": "eq", "value": float("inf")}, "condition.value", "too large"),
        ({"attr": "a", "op": "in", "value": []}, "condition.value", "A list of 1 to 200"),
        ({"attr": "a", "op": "in", "value": list(range(MAX_VALUES + 1))}, "condition.value", "A list of 1 to 200"),
        ({"attr": "a", "op": "in", "value": [1, [2]]}, "condition.value[1]", "A value is a text"),
        ({"attr": "a", "op": "in", "value": ["x", "y", "x"]}, "condition.value[2]", "already in the list"),
    ],
)
def test_a_wrong_condition_is_refused_with_its_path(data: object, path: str, part: str) -> None:
    with pytest.raises(RuleInvalid) as invalid:
        parse_condition(data)

    [error] = invalid.value.errors
    assert error.path == path
    assert part in error.message


def test_true_and_one_are_different_values() -> None:
    assert parse_condition({"attr": "a", "op": "in", "value": [True, 1]}) == Compare("a", Operator.IN, (True, 1))


def test_depth_is_limited() -> None:
    parse_condition(nested(MAX_DEPTH))

    with pytest.raises(RuleInvalid, match="6 levels"):
        parse_condition(nested(MAX_DEPTH + 1))


def test_size_is_limited() -> None:
    parse_condition({"all": leaves(MAX_NODES - 1)})

    with pytest.raises(RuleInvalid, match="100 parts"):
        parse_condition({"all": leaves(MAX_NODES)})
