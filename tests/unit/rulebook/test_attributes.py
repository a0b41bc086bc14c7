"""Attributes: completeness of facts, patterns of actions, times, hints."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from governance.kernel.texts import did_you_mean
from governance.rulebook.attributes import AttributeType, expand_actions, normal_time, time_text
from governance.rulebook.cases import facts_from
from tests.factories.rulebook import every_kind

SCHEMA = every_kind()
GOOD: dict[str, Any] = {
    "string": "x",
    "enum": "red",
    "bool": True,
    "int": 3,
    "number": 0.5,
    "string_list": ["a"],
    "time": "2026-11-20T12:00:00.000000Z",
}


def facts(**changes: Any) -> dict[str, Any]:
    sure = {name: value for kind, value in GOOD.items() for name in (kind, f"{kind}_too")}
    base = {"sure": sure, "maybe": dict.fromkeys(GOOD)}
    dotted = {path.replace("__", "."): value for path, value in changes.items()}
    return facts_from(base, action="asset.infer", changes=dotted, schema=SCHEMA)


def test_complete_facts_miss_nothing() -> None:
    assert SCHEMA.missing_facts("asset.infer", facts()) == []


@pytest.mark.parametrize("kind", list(AttributeType))
def test_an_absent_fact_is_named(kind: AttributeType) -> None:
    incomplete = facts()
    del incomplete["sure"][kind]

    assert SCHEMA.missing_facts("asset.infer", incomplete) == [f"sure.{kind} is missing"]


@pytest.mark.parametrize("broken", [{}, {"sure": None}, {"sure": "x"}])
def test_absent_branches_are_named_leaf_by_leaf(broken: dict[str, Any]) -> None:
    problems = SCHEMA.missing_facts("asset.infer", {"action": "asset.infer", "maybe": facts()["maybe"], **broken})

    assert problems == [f"sure.{kind}{suffix} is missing" for kind in AttributeType for suffix in ("", "_too")]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"sure__string": None}, "sure.string is null"),
        ({"sure__string": 3}, "sure.string is not text"),
        ({"sure__string": "a\0b"}, "sure.string is not text"),
        ({"sure__string": "\ud800"}, "sure.string is not text"),
        ({"sure__enum": "purple"}, "sure.enum is not one of its known values"),
        ({"sure__enum": ["red"]}, "sure.enum is not text"),
        ({"sure__bool": 1}, "sure.bool is not true or false"),
        ({"sure__int": True}, "sure.int is not a whole number"),
        ({"sure__int": 1.0}, "sure.int is not a whole number"),
        ({"sure__int": 2**53}, "sure.int is not a whole number"),
        ({"sure__number": "1"}, "sure.number is not a number"),
        ({"sure__number": float("nan")}, "sure.number is not a number"),
        ({"sure__number": 1e300}, "sure.number is not a number"),
        ({"sure__string_list": "a"}, "sure.string_list is not a list of texts"),
        ({"sure__string_list": ["a", 1]}, "sure.string_list is not a list of texts"),
        ({"sure__time": "2026-11-20"}, "sure.time is not a time in UTC"),
        ({"sure__time": "2026-11-20T12:00:00Z"}, "sure.time is not a time in UTC"),
        ({"sure__time": datetime(2026, 11, 20, tzinfo=UTC)}, "sure.time is not a time in UTC"),
        ({"maybe__int": "x"}, "maybe.int is not a whole number"),
        ({"action": "asset.train"}, "action is not the action that is decided"),
        ({"action": "asset.melt"}, "action is not one of its known values"),
    ],
)
def test_a_fact_of_the_wrong_type_is_named_without_its_value(changes: dict[str, Any], problem: str) -> None:
    assert SCHEMA.missing_facts("asset.infer", facts(**changes)) == [problem]


@pytest.mark.parametrize("changes", [{"sure__string": "é"}, {"sure__number": 3}, {"sure__string_list": ()}])
def test_unusual_facts_that_are_fine(changes: dict[str, Any]) -> None:
    assert SCHEMA.missing_facts("asset.infer", facts(**changes)) == []


def test_nothing_is_known_of_an_unknown_action() -> None:
    assert SCHEMA.missing_facts("asset.melt", {}) == ["asset.melt is not a known action"]
    assert SCHEMA.attributes_for("asset.melt") == ()


@pytest.mark.parametrize(
    ("patterns", "actions"),
    [
        (["model.*"], {"model.invoke", "model.train", "model.deploy"}),
        (["asset.infer", "output.*"], {"asset.infer", "output.release"}),
        (["*"], set(SCHEMA.actions)),
    ],
)
def test_patterns_of_actions(patterns: list[str], actions: set[str]) -> None:
    assert expand_actions(patterns) == actions


@pytest.mark.parametrize("pattern", ["asset", "asset.infr", "nothing.*", ""])
def test_a_pattern_that_matches_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="is not a known action"):
        expand_actions([pattern])


def test_a_misspelt_path_gets_a_suggestion() -> None:
    assert did_you_mean("asset.infr", SCHEMA.actions) == " Did you mean 'asset.infer'?"
    assert did_you_mean("zzz", SCHEMA.actions) == ""
    assert SCHEMA.suggestion("sure.strin") == " Did you mean 'sure.string'?"


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("2026-11-20T13:00:00+01:00", "2026-11-20T12:00:00.000000Z"),
        ("2026-11-20T12:00:00Z", "2026-11-20T12:00:00.000000Z"),
        ("2026-11-20T12:00:00.5Z", "2026-11-20T12:00:00.500000Z"),
        ("2026-11-20T12:00:00", None),
        ("0001-01-01T00:00:00+05:00", None),
        ("tomorrow", None),
    ],
)
def test_times_have_one_form(text: str, normal: str | None) -> None:
    assert normal_time(text) == normal


def test_time_text_is_utc_with_microseconds() -> None:
    noon = datetime(2026, 11, 20, 13, tzinfo=timezone(timedelta(hours=1)))

    assert time_text(noon) == "2026-11-20T12:00:00.000000Z"
