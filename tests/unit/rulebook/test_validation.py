"""Rules held against the schema."""

from typing import Any

import pytest

from governance.engines.types import Effect, Obligation
from governance.rulebook.errors import RuleInvalid
from governance.rulebook.schema import current_schema
from governance.rulebook.types import All, Any_, Compare, Condition, Not, Operator, RuleSpec
from governance.rulebook.validation import checked, comparable_attributes
from tests.factories.rulebook import BLOCK_REGION, REGION_IS_DE, every_kind, rule

SCHEMA = every_kind()
OP = Operator


def errors(spec: RuleSpec) -> list[tuple[str, str]]:
    with pytest.raises(RuleInvalid) as invalid:
        checked(spec, current_schema())
    return [(error.path, error.message) for error in invalid.value.errors]


def condition_error(condition: Condition) -> tuple[str, str]:
    with pytest.raises(RuleInvalid) as invalid:
        checked(rule(condition=condition, message="No."), SCHEMA)
    [error] = invalid.value.errors
    return error.path, error.message


def test_a_sound_rule_comes_back_with_its_actions_in_order() -> None:
    backwards = rule(actions=("model.invoke", "asset.infer"))

    assert checked(backwards, current_schema()) == BLOCK_REGION


@pytest.mark.parametrize(
    ("changes", "path", "part"),
    [
        ({"id": "Block Region"}, "id", "lower-case letters"),
        ({"id": "block_region"}, "id", "lower-case letters"),
        ({"id": "x" * 51}, "id", "lower-case letters"),
        ({"reason_code": "region-blocked"}, "reason_code", "underscores"),
        ({"reason_code": "r" * 51}, "reason_code", "underscores"),
        ({"actions": ()}, "actions", "at least one action"),
        ({"actions": ("asset.infr",)}, "actions[0]", "Did you mean 'asset.infer'?"),
        ({"actions": ("asset.infer", "asset.infer")}, "actions[1]", "named twice"),
        ({"message": "  "}, "message", "one line"),
        ({"message": "a\nb"}, "message", "one line"),
        ({"message": "x" * 301}, "message", "one line"),
        ({"message": "In {Region}."}, "message", "Braces quote a fact"),
        ({"message": "In {subject.region"}, "message", "Braces quote a fact"),
        ({"message": "In {subject.regoin}."}, "message", "Did you mean 'subject.region'?"),
        ({"message": "In {asset.id}."}, "message", "'asset.id' is not known when model.invoke is decided."),
        ({"obligations": (Obligation("embed_provenance"),)}, "obligations", "Only a rule that permits"),
        (
            {"effect": Effect.PERMIT, "obligations": (Obligation("embed_provenance"), Obligation("atribution"))},
            "obligations[1].kind",
            "'atribution' is no known obligation. Did you mean 'attribution'?",
        ),
        (
            {"effect": Effect.PERMIT, "obligations": (Obligation("attribution"),)},
            "obligations[0].parameters.text",
            "This is needed.",
        ),
        (
            {"effect": Effect.PERMIT, "obligations": (Obligation("limit_resolution", {"max_edge": float("nan")}),)},
            "obligations[0].parameters.max_edge",
            "A whole number from 1 to",
        ),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, Any], path: str, part: str) -> None:
    [(found, message)] = errors(rule(**changes))

    assert found == path
    assert part in message


def test_every_wrong_field_is_named_at_once() -> None:
    bad = Compare("asset.creator", OP.EQ, "ada")
    spec = rule(id="", message="", condition=All((REGION_IS_DE, Not(Any_((bad, Compare("nope", OP.EXISTS)))))))

    assert [path for path, _ in errors(spec)] == [
        "id",
        "message",
        "condition.all[1].not.any[0].attr",
        "condition.all[1].not.any[1].attr",
    ]


def test_an_attribute_must_be_known_for_all_actions_of_the_rule() -> None:
    [(path, message)] = errors(rule(condition=Compare("asset.creator", OP.EQ, "ada")))

    assert path == "condition.attr"
    assert message == "'asset.creator' is not known when model.invoke is decided."


def test_a_misspelt_attribute_gets_a_suggestion() -> None:
    [(_, message)] = errors(rule(condition=Compare("subject.partnr", OP.EQ, "x")))

    assert message == "'subject.partnr' is not a known attribute. Did you mean 'subject.partner'?"


@pytest.mark.parametrize(
    ("compare", "path", "part"),
    [
        (Compare("sure.string", OP.LT, "a"), "condition.op", "'lt' does not fit"),
        (Compare("sure.string", OP.EXISTS), "condition.op", "'exists' does not fit"),
        (Compare("sure.string", OP.EQ, 1), "condition.value", "A text is needed"),
        (Compare("sure.string", OP.EQ, ("a",)), "condition.value", "One value is needed"),
        (Compare("sure.string", OP.IN, "a"), "condition.value", "A list of values is needed"),
        (Compare("sure.string", OP.IN, ("a", 1)), "condition.value[1]", "A text is needed"),
        (Compare("sure.enum", OP.EQ, "gren"), "condition.value", "Did you mean 'green'?"),
        (Compare("sure.bool", OP.EQ, "true"), "condition.value", "True or false"),
        (Compare("sure.int", OP.EQ, 1.5), "condition.value", "A whole number"),
        (Compare("sure.int", OP.EQ, True), "condition.value", "A whole number"),
        (Compare("sure.number", OP.LT, True), "condition.value", "A number of at most 15 digits"),
        (Compare("sure.number", OP.LT, "1"), "condition.value", "A number of at most 15 digits"),
        (Compare("sure.number", OP.LT, 0.1 + 0.2), "condition.value", "A number of at most 15 digits"),
        (Compare("sure.time", OP.LT, "tomorrow"), "condition.value", "A time with its offset"),
        (Compare("sure.time", OP.LT, 5), "condition.value", "A time with its offset"),
        (Compare("sure.string_list", OP.CONTAINS, 1), "condition.value", "A text is needed"),
        (Compare("sure.int", OP.BETWEEN, (1,)), "condition.value", "the lower one first"),
        (Compare("sure.int", OP.BETWEEN, (2, 1)), "condition.value", "the lower one first"),
        (Compare("sure.int", OP.BETWEEN, (1, 1)), "condition.value", "the lower one first"),
        (
            Compare("sure.time", OP.BETWEEN, ("2027-01-01T00:00:00Z", "2026-01-01T00:00:00Z")),
            "condition.value",
            "the lower one first",
        ),
        (Compare("sure.int", OP.EQ, other="sure.string"), "condition.other", "cannot be compared"),
        (Compare("sure.int", OP.IN, other="sure.string_list"), "condition.other", "cannot be compared"),
        (Compare("sure.string", OP.IN, other="sure.string_too"), "condition.other", "cannot be compared"),
        (Compare("sure.string", OP.EQ, other="sure.string"), "condition.other", "with itself"),
        (Compare("sure.string", OP.EQ, other="sure.strng"), "condition.other", "Did you mean"),
        (Compare("sure.int", OP.BETWEEN, other="sure.int_too"), "condition.other", "'between' needs two values"),
        (Compare("sure.string_list", OP.CONTAINS, other="maybe.string_list"), "condition.other", "cannot be"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_field(compare: Compare, path: str, part: str) -> None:
    found, message = condition_error(compare)

    assert found == path
    assert part in message


@pytest.mark.parametrize(
    "compare",
    [
        Compare("sure.string", OP.EQ, other="sure.enum"),
        Compare("sure.int", OP.LT, other="maybe.number"),
        Compare("sure.string", OP.NOT_IN, other="maybe.string_list"),
        Compare("sure.string_list", OP.CONTAINS, other="sure.enum"),
        Compare("sure.string_list", OP.INTERSECTS, other="maybe.string_list"),
        Compare("sure.number", OP.BETWEEN, (1, 1.5)),
        Compare("maybe.bool", OP.EXISTS),
        Compare("sure.bool", OP.EQ, other="maybe.bool"),
    ],
)
def test_correct_rules_are_accepted(compare: Compare) -> None:
    assert checked(rule(condition=compare, message="No."), SCHEMA).condition == compare


def test_times_are_brought_to_one_form_wherever_they_are() -> None:
    spoken = Compare("sure.time", OP.LT, "2026-11-20T13:00:00+01:00")
    window = Compare("sure.time", OP.BETWEEN, ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"))
    condition = All((Any_((Not(spoken), REGION_IS_DE)), window, Compare("sure.time", OP.LT, other="sure.time_too")))
    with pytest.raises(RuleInvalid) as invalid:
        checked(rule(condition=condition, message="No."), SCHEMA)
    assert [error.path for error in invalid.value.errors] == ["condition.all[0].any[1].attr"]

    normal = checked(rule(condition=All((Not(spoken), window)), message="No."), SCHEMA).condition

    assert normal == All(
        (
            Not(Compare("sure.time", OP.LT, "2026-11-20T12:00:00.000000Z")),
            Compare("sure.time", OP.BETWEEN, ("2026-01-01T00:00:00.000000Z", "2027-01-01T00:00:00.000000Z")),
        )
    )


@pytest.mark.parametrize("op", [OP.EXISTS, OP.BETWEEN])
def test_some_operators_take_no_other_attribute(op: Operator) -> None:
    assert comparable_attributes(SCHEMA.attributes["maybe.int"], op, ["asset.infer"], SCHEMA) == ()


def test_only_attributes_of_all_the_actions_compare() -> None:
    schema = current_schema()
    region = schema.attributes["subject.region"]

    found = comparable_attributes(region, OP.IN, ["asset.infer", "model.invoke"], schema)

    assert {"licence.regions", "token.models"} <= {attribute.path for attribute in found}
    assert "consent.regions" not in {attribute.path for attribute in found}
