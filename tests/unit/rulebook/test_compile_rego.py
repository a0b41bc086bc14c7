"""The Rego compiler: how its modules read, and that they mean what the rules mean."""

from dataclasses import replace
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.engines.rego import RegoEngine
from governance.engines.types import Effect, EngineRequest, PolicyProgram, RuleMeta
from governance.rulebook.compile_rego import compile_module, compile_modules, compile_rule
from governance.rulebook.schema import current_schema
from governance.rulebook.types import All, Any_, Compare, Condition, Not, Operator, RuleSpec
from governance.rulebook.validation import checked
from tests.effort import examples
from tests.factories.rulebook import BLOCK_REGION, REGION_IS_DE, every_kind, rule
from tests.factories.rulebook_laws import facts, matched, rule_sets

ACTION = "asset.infer"
SCHEMA = every_kind()


def body(condition: Condition) -> str:
    """Return the compiled rule without its sentence."""
    return compile_rule(rule(condition=condition), SCHEMA).partition("\n")[2]


def expected(text: str) -> str:
    return dedent(text).lstrip().replace("    ", "\t")


def test_a_module_reads_like_one_written_by_hand() -> None:
    permit = rule(id="open", effect=Effect.PERMIT, condition=Not(REGION_IS_DE))

    assert compile_module(ACTION, [BLOCK_REGION, permit], current_schema()) == expected(
        """
        # Decides asset.infer. Compiled from the rulebook: edit the rules, not this.
        package assent.asset.infer

        # Deny asset.infer and model.invoke when the partner's region is one of DE, FR.
        deny contains "block-region" if {
            input.subject.region in {"DE", "FR"}
        }

        # Permit asset.infer and model.invoke when it is not so that the partner's region is DE.
        permit contains "open" if {
            not input.subject.region == "DE"
        }

        default effect := "deny"

        effect := "permit" if {
            count(permit) > 0
            count(deny) == 0
        }

        decision := {
            "denies": deny,
            "effect": effect,
            "permits": permit,
        }
        """
    )


def test_every_action_has_a_module_and_rules_are_in_those_of_their_actions() -> None:
    modules = compile_modules([BLOCK_REGION], current_schema())

    assert tuple(modules) == current_schema().actions
    assert [action for action, source in modules.items() if "block-region" in source] == list(BLOCK_REGION.actions)
    assert "deny := set()\n\npermit := set()\n" in modules["asset.train"]


S, L, T, M = "sure.string", "sure.string_list", "sure.time", "maybe.string"


@pytest.mark.parametrize(
    ("comparison", "lines"),
    [
        (Compare(S, Operator.EQ, 'a"b'), ['input.sure.string == "a\\"b"']),
        (Compare(S, Operator.NE, other="sure.string_too"), ["input.sure.string != input.sure.string_too"]),
        (Compare(S, Operator.IN, ("a", "b")), ['input.sure.string in {"a", "b"}']),
        (Compare(S, Operator.NOT_IN, other=L), ["not input.sure.string in input.sure.string_list"]),
        (Compare(S, Operator.STARTS_WITH, "a"), ['startswith(input.sure.string, "a")']),
        (Compare(L, Operator.CONTAINS, "a"), ['"a" in input.sure.string_list']),
        (Compare(L, Operator.INTERSECTS, ("a",)), ["some item in input.sure.string_list", 'item in {"a"}']),
        (Compare("sure.bool", Operator.EQ, False), ["input.sure.bool == false"]),
        (Compare("sure.int", Operator.LT, 3), ["input.sure.int < 3"]),
        (Compare("sure.number", Operator.GTE, 0.6), ["input.sure.number >= 0.6"]),
        (
            Compare("sure.number", Operator.BETWEEN, (0.1, 0.9)),
            ["input.sure.number >= 0.1", "input.sure.number <= 0.9"],
        ),
        (Compare(M, Operator.EXISTS), ["input.maybe.string != null"]),
        (Compare(M, Operator.EQ, "a"), ['input.maybe.string == "a"']),
        (Compare(M, Operator.EQ, other=S), ["input.maybe.string == input.sure.string"]),
        (Compare(M, Operator.NE, "a"), ["input.maybe.string != null", 'input.maybe.string != "a"']),
        (Compare(M, Operator.NOT_IN, ("a",)), ["input.maybe.string != null", 'not input.maybe.string in {"a"}']),
        (
            Compare("maybe.int", Operator.LTE, other="sure.int"),
            ["input.maybe.int != null", "input.maybe.int <= input.sure.int"],
        ),
    ],
)
def test_comparisons(comparison: Compare, lines: list[str]) -> None:
    assert body(comparison) == "\n".join(['deny contains "block-region" if {', *(f"\t{line}" for line in lines), "}\n"])


def test_two_attributes_that_may_be_null_are_not_equal_for_being_null() -> None:
    twice = every_kind()
    twice.attributes["sure.string_too"] = replace(twice.attributes["sure.string_too"], nullable=True)

    text = compile_rule(rule(condition=Compare(M, Operator.EQ, other="sure.string_too")), twice)

    assert "\tinput.maybe.string != null\n\tinput.sure.string_too != null\n\tinput.maybe.string ==" in text


def test_alternatives_at_the_top_are_bodies_of_their_own() -> None:
    assert body(Any_((Compare(S, Operator.EQ, "a"), Compare(S, Operator.EQ, "b")))) == expected(
        """
        deny contains "block-region" if {
            input.sure.string == "a"
        }

        deny contains "block-region" if {
            input.sure.string == "b"
        }
        """
    )


def test_nested_alternatives_and_negations_get_helper_rules_in_reading_order() -> None:
    a, b, c = (Compare(S, Operator.EQ, letter) for letter in "abc")

    assert body(All((a, Any_((All((b, Not(Any_((a, c))))), c)), Not(Not(b))))) == expected(
        """
        deny contains "block-region" if {
            input.sure.string == "a"
            when_block_region_1
            not when_block_region_3
        }

        when_block_region_1 if {
            input.sure.string == "b"
            not when_block_region_2
        }

        when_block_region_1 if {
            input.sure.string == "c"
        }

        when_block_region_2 if {
            input.sure.string == "a"
        }

        when_block_region_2 if {
            input.sure.string == "c"
        }

        when_block_region_3 if {
            not input.sure.string == "b"
        }
        """
    )


def test_a_search_beside_other_conditions_has_a_body_of_its_own() -> None:
    found = Compare("maybe.string_list", Operator.INTERSECTS, ("a",))
    starts = Compare(M, Operator.STARTS_WITH, "b")

    assert body(All((found, starts))) == expected(
        """
        deny contains "block-region" if {
            when_block_region_1
            input.maybe.string != null
            startswith(input.maybe.string, "b")
        }

        when_block_region_1 if {
            input.maybe.string_list != null
            some item in input.maybe.string_list
            item in {"a"}
        }
        """
    )


@given(rule_sets(SCHEMA, ACTION), st.lists(facts(SCHEMA, ACTION), min_size=1, max_size=4))
@settings(max_examples=examples(150))
def test_rego_decides_as_the_rules_say(drawn: list[RuleSpec], asked: list[dict[str, Any]]) -> None:
    specs = [checked(spec, SCHEMA) for spec in drawn]
    program = PolicyProgram(
        revision="test",
        modules={ACTION: compile_module(ACTION, sorted(specs, key=lambda spec: spec.id), SCHEMA)},
        rules={spec.id: RuleMeta(spec.effect, spec.reason_code, spec.message) for spec in specs},
    )
    engine = RegoEngine()
    engine.check(program=program)
    assert [SCHEMA.missing_facts(ACTION, one) for one in asked] == [[]] * len(asked)

    results = engine.evaluate(program=program, requests=[EngineRequest(ACTION, one) for one in asked])

    for one, result in zip(asked, results, strict=True):
        permits, denies = matched(specs, Effect.PERMIT, one), matched(specs, Effect.DENY, one)
        assert (result.matched_permits, result.matched_denies) == (permits, denies)
        assert (result.effect is Effect.PERMIT) == (bool(permits) and not denies)
