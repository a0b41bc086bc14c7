"""Whole rules, and the files that hold them."""

from pathlib import Path
from typing import Any

import pytest

from governance.engines.types import Effect, Obligation
from governance.rulebook.errors import PolicyFileInvalid, RuleInvalid
from governance.rulebook.rules import load_rules, parse_rule, rule_json, system_rules
from governance.rulebook.schema import current_schema
from tests.factories.rulebook import BLOCK_REGION, rule

SCHEMA = current_schema()


def data(**changes: Any) -> dict[str, Any]:
    return {**rule_json(BLOCK_REGION), **changes}


def test_what_is_written_is_read_back() -> None:
    obligations = (Obligation("attribution", {"text": "Ada"}), Obligation("embed_provenance"))
    permit = rule(effect=Effect.PERMIT, obligations=obligations)

    assert parse_rule(rule_json(permit), SCHEMA) == permit


def test_actions_may_be_patterns() -> None:
    assert parse_rule(data(actions=["model.*"]), SCHEMA).actions == ("model.invoke", "model.train", "model.deploy")


@pytest.mark.parametrize(
    ("changes", "path", "part"),
    [
        ({"effect": "allow"}, "effect", "'permit' or 'deny'"),
        ({"effect": ["deny"]}, "effect", "'permit' or 'deny'"),
        ({"actions": "asset.infer"}, "actions", "A list of actions"),
        ({"actions": [1]}, "actions", "A list of actions"),
        ({"actions": ["asset.infr"]}, "actions", "Did you mean"),
        ({"condition": {"all": []}}, "condition.all", "At least one"),
        ({"condition": {"attr": "x", "op": "exists"}}, "condition.attr", "not a known attribute"),
        ({"message": 3}, "message", "A text is needed"),
        ({"id": None}, "id", "A text is needed"),
        ({"mesage": "x"}, "mesage", "Did you mean 'message'?"),
        ({"obligations": {}}, "obligations", "A list of obligations"),
        ({"obligations": ["watermark"]}, "obligations[0]", "has a kind"),
        ({"obligations": [{"parameters": {}}]}, "obligations[0]", "has a kind"),
        ({"obligations": [{"kind": "a", "x": 1}]}, "obligations[0]", "has a kind"),
        ({"obligations": [{"kind": 1}]}, "obligations[0]", "The kind is a text"),
        ({"obligations": [{"kind": "a", "parameters": []}]}, "obligations[0]", "The kind is a text"),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, Any], path: str, part: str) -> None:
    with pytest.raises(RuleInvalid) as invalid:
        parse_rule(data(**changes), SCHEMA)

    [error] = invalid.value.errors
    assert error.path == path
    assert part in error.message
    assert invalid.value.rule_id == str(data(**changes)["id"])


def test_every_absent_field_is_named() -> None:
    with pytest.raises(RuleInvalid) as invalid:
        parse_rule({}, SCHEMA)

    assert [error.path for error in invalid.value.errors] == [
        "id",
        "effect",
        "actions",
        "condition",
        "reason_code",
        "message",
    ]


def test_a_rule_is_an_object() -> None:
    with pytest.raises(RuleInvalid, match="A rule is an object"):
        parse_rule(["x"], SCHEMA)


def test_the_system_rules_load_in_the_order_of_their_ids() -> None:
    ids = [spec.id for spec in system_rules()]

    assert ids == sorted(set(ids))
    assert {"consent-withdrawn", "licence-purpose", "moderation-output-unsafe", "asset-consented"} <= set(ids)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rules: {}\n", "must hold a list 'rules'"),
        ("[]\n", "must hold a list 'rules'"),
        ("rules: []\nmore: 1\n", "must hold a list 'rules'"),
        ("rules: [", "cannot be read"),
    ],
)
def test_a_file_that_is_no_list_of_rules_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "a.yaml").write_text(text)

    with pytest.raises(PolicyFileInvalid, match=r"a\.yaml") as invalid:
        load_rules(tmp_path, SCHEMA)

    assert problem in invalid.value.message


def test_two_rules_with_one_id_are_refused_across_files(tmp_path: Path) -> None:
    text = """rules:
  - id: one
    effect: deny
    actions: [asset.infer]
    condition: {attr: subject.region, op: eq, value: DE}
    reason_code: one
    message: One.
"""
    (tmp_path / "a.yaml").write_text(text)
    (tmp_path / "b.yaml").write_text(text)

    with pytest.raises(PolicyFileInvalid, match=r"b\.yaml: there are two rules 'one'"):
        load_rules(tmp_path, SCHEMA)
