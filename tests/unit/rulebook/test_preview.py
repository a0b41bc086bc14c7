"""What the console is told of rules."""

import json
from typing import Any

import pytest

from governance.rulebook.errors import RuleInvalid
from governance.rulebook.preview import describe, form_schema, rego_preview
from governance.rulebook.types import Compare, Operator
from tests.factories.rulebook import BLOCK_REGION, rule


def offered(path: str, actions: list[str]) -> dict[str, Any]:
    attributes = [entry for group in form_schema(actions)["groups"] for entry in group["attributes"]]
    [found] = [entry for entry in attributes if entry["path"] == path]
    return found


def test_a_rule_is_shown_as_sentence_and_as_rego() -> None:
    assert describe(BLOCK_REGION).startswith("Deny asset.infer and model.invoke when")
    assert rego_preview(BLOCK_REGION) == (
        "# Deny asset.infer and model.invoke when the partner's region is one of DE, FR.\n"
        'deny contains "block-region" if {\n\tinput.subject.region in {"DE", "FR"}\n}\n'
    )


def test_a_wrong_rule_has_no_preview() -> None:
    nonsense = rule(condition=Compare("subject.region", Operator.LT, 3))

    for show in (describe, rego_preview):
        with pytest.raises(RuleInvalid):
            show(nonsense)


def test_the_form_offers_what_all_the_actions_know() -> None:
    names = [group["name"] for group in form_schema(["asset.infer", "model.invoke"])["groups"]]

    assert names == ["Request", "Partner", "Token", "Roles", "Model", "Licence"]
    assert "Release" in [group["name"] for group in form_schema(["output.release"])["groups"]]
    json.dumps(form_schema([]))


def test_an_attribute_is_offered_with_operators_values_and_comparable_attributes() -> None:
    purpose = offered("purpose", ["model.invoke"])

    assert purpose["type"] == "enum"
    assert {"value": "non_commercial", "label": "non commercial"} in purpose["values"]
    assert [(op["value"], op["label"], op["takes"]) for op in purpose["operators"]] == [
        ("eq", "is", "value"),
        ("ne", "is not", "value"),
        ("in", "is one of", "values"),
        ("not_in", "is none of", "values"),
    ]
    assert {"path": "licence.purposes", "label": "the purposes of the licence"} in purpose["operators"][2]["others"]
    assert {"path": "action", "label": "the action"} in purpose["operators"][0]["others"]


def test_a_bool_is_offered_as_its_two_sentences() -> None:
    assert offered("token.any_model", ["model.invoke"])["values"] == [
        {"value": True, "label": "the token covers every model"},
        {"value": False, "label": "the token is limited to named models"},
    ]


def test_operators_say_how_many_values_they_take() -> None:
    takes = {op["value"]: op["takes"] for op in offered("asset.width", ["asset.infer"])["operators"]}
    exists = {op["value"]: op for op in offered("asset.dataset", ["asset.infer"])["operators"]}["exists"]

    assert takes["between"] == "range"
    assert takes["lt"] == "value"
    assert (exists["takes"], exists["others"]) == ("nothing", [])
