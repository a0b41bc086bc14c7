"""Filing rules under the facts they cannot do without."""

from typing import Any

import pytest
from hypothesis import given, settings

from governance.rulebook.compile_index import compile_index
from governance.rulebook.schema import current_schema
from governance.rulebook.types import All, Any_, Compare, Condition, Not, Operator, RuleSpec
from tests.effort import examples
from tests.factories.rulebook import REGION_IS_DE, permitted_facts, rule
from tests.factories.rulebook_laws import facts, holds, rule_sets

SCHEMA = current_schema()
ADA = Compare("asset.creator", Operator.EQ, "ada")
BOB = Compare("asset.creator", Operator.IN, ("bob", "eve"))
TAG = Compare("asset.tags", Operator.CONTAINS, "portrait")
NOT_DE = Compare("subject.region", Operator.NE, "DE")
WIDE = Compare("asset.width", Operator.EQ, 640)
SAME = Compare("subject.partner", Operator.EQ, other="subject.client")


@pytest.mark.parametrize(
    ("condition", "groups"),
    [
        (ADA, 1),
        (BOB, 0),
        (NOT_DE, 0),
        (REGION_IS_DE, 1),
        (TAG, 1),
        (WIDE, 1),
        (SAME, 1),
        (Not(BOB), 1),
        (All((REGION_IS_DE, BOB)), 0),
        (All((WIDE, Any_((BOB, NOT_DE)))), 0),
        (Any_((BOB, ADA)), 1),
        (Any_((BOB, WIDE)), 1),
        (Any_((BOB, Not(ADA))), 1),
    ],
)
def test_a_rule_is_found_unless_what_it_needs_is_absent(condition: Condition, groups: int) -> None:
    index = compile_index([rule(condition=condition)])

    assert len(index.groups(permitted_facts("asset.infer"))) == groups


def test_the_rules_of_one_creator_are_a_group_of_their_own() -> None:
    rules = [
        rule(id=f"c{number}", condition=Compare("asset.creator", Operator.EQ, f"c{number}")) for number in range(9)
    ]

    index = compile_index([*rules, rule(id="all", condition=WIDE)])

    assert index.groups(permitted_facts("asset.infer", asset__creator="c3")) == (("all",), ("c3",))


@given(rule_sets(SCHEMA, "asset.infer"), facts(SCHEMA, "asset.infer"))
@settings(max_examples=examples(200))
def test_a_rule_that_matches_is_always_found(specs: list[RuleSpec], asked: dict[str, Any]) -> None:
    found = {rule_id for group in compile_index(specs).groups(asked) for rule_id in group}

    assert found >= {spec.id for spec in specs if holds(spec.condition, asked)}
