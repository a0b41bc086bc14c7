"""Taking compiled modules apart."""

import pytest
from hypothesis import given, settings

from governance.engines.rego_modules import split_module
from governance.engines.types import Effect
from governance.rulebook.compile_rego import compile_module
from governance.rulebook.rules import system_rules
from governance.rulebook.schema import current_schema
from governance.rulebook.types import Any_, Compare, Not, Operator, RuleSpec
from tests.effort import examples
from tests.factories.rulebook import REGION_IS_DE, every_kind, rule
from tests.factories.rulebook_laws import rule_sets

SCHEMA = current_schema()
WIDE = Compare("asset.width", Operator.GT, 640)
NESTED = rule(id="nested", condition=Not(Any_((REGION_IS_DE, WIDE))))
OPEN = rule(id="open", effect=Effect.PERMIT, condition=Any_((WIDE, REGION_IS_DE)))
MODULE = compile_module("asset.infer", [NESTED, OPEN], SCHEMA)


@pytest.mark.parametrize("action", SCHEMA.actions)
def test_a_module_of_some_rules_is_the_one_compiled_from_them(action: str) -> None:
    specs = [spec for spec in system_rules() if action in spec.actions]

    parts = split_module(compile_module(action, specs, SCHEMA))

    assert parts is not None
    assert parts.ids == tuple(spec.id for spec in specs)
    assert parts.source_of(parts.ids[::2]) == compile_module(action, specs[::2], SCHEMA)


@given(rule_sets(every_kind(), "asset.infer"))
@settings(max_examples=examples(100))
def test_every_compiled_module_is_split(drawn: list[RuleSpec]) -> None:
    specs = sorted(drawn, key=lambda spec: spec.id)

    parts = split_module(compile_module("asset.infer", specs, every_kind()))

    assert parts is not None
    assert parts.ids == tuple(spec.id for spec in specs)
    assert parts.source_of([specs[0].id]) == compile_module("asset.infer", specs[:1], every_kind())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("edit the rules, not this.", "and then some by hand."),
        ("package assent.asset.infer\n\n", "package assent.asset.infer\n"),
        ("default effect :=", "default effect  :="),
        ('permit contains "open" if {', 'permit contains "open" if {\n\tinput.x\n}\n\nhelper if {'),
        ("not when_nested_1", "not when_open_1"),
        ('permit contains "open" if {', 'deny contains "nested" if {'),
        ("\t", "\n\n"),
        ("when_nested_1 if", "when_open_1 if"),
        ("# Permit", "Permit"),
    ],
)
def test_a_module_of_another_form_is_not_split(old: str, new: str) -> None:
    assert old in MODULE

    assert split_module(MODULE.replace(old, new)) is None
