"""The schema file."""

from pathlib import Path

import pytest

from governance.kernel.vocabulary import Action, Purpose
from governance.rulebook.attributes import AttributeType
from governance.rulebook.errors import PolicyFileInvalid
from governance.rulebook.schema import attributes_for, current_schema, load_schema, missing_facts
from governance.rulebook.types import Operator
from tests.factories.rulebook import permitted_facts

HEAD = """version: 1
groups:
  - name: Request
    actions: ["*"]
    attributes:
      action: {type: enum, values: actions, label: the action, help: What is asked.}
"""


def load(tmp_path: Path, text: str) -> None:
    path = tmp_path / "schema.yaml"
    path.write_text(text)
    load_schema(path)


def test_the_products_schema_knows_its_actions_and_purposes() -> None:
    schema = current_schema()

    assert schema.attributes["action"].values == tuple(Action)
    assert schema.attributes["purpose"].values == tuple(Purpose)
    assert {attribute.type for attribute in schema.attributes.values()} == set(AttributeType)
    assert len(schema.digest) == 64


@pytest.mark.parametrize("action", list(Action))
def test_the_cases_base_facts_are_complete_for_every_action(action: Action) -> None:
    assert missing_facts(action, permitted_facts(action)) == []
    assert attributes_for(action)


def test_only_a_nullable_attribute_can_be_asked_whether_it_exists() -> None:
    schema = current_schema()

    assert Operator.EXISTS in schema.attributes["asset.dataset"].operators
    assert Operator.EXISTS not in schema.attributes["asset.creator"].operators


def test_operators_can_be_narrowed(tmp_path: Path) -> None:
    path = tmp_path / "schema.yaml"
    path.write_text(HEAD + "      x: {type: int, label: x, help: x, operators: [lt, eq]}\n")

    assert load_schema(path).attributes["x"].operators == (Operator.EQ, Operator.LT)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("X: {type: int, label: x, help: x}", "'X' is not a dotted path"),
        ("x: {type: float, label: x, help: x}", "'float' is not a valid AttributeType"),
        ("x: {type: int, help: x}", "'label'"),
        ("x: {type: int, label: x, help: x, nulable: true}", "x has unknown settings: nulable"),
        ('x: {type: int, label: "a\\nb", help: x}', "labels and help are one line"),
        ("x: {type: int, label: 3, help: x}", "labels and help are one line"),
        ("x: {type: int, label: x, help: x, operators: [contains]}", "the operators contains do not fit the type int"),
        ("x: {type: int, label: x, help: x, values: [a]}", "an enum, and nothing else, has a list"),
        ("x: {type: enum, label: x, help: x}", "an enum, and nothing else, has a list"),
        ("x: {type: enum, label: x, help: x, values: [a, a]}", "an enum, and nothing else, has a list"),
        ("x: {type: enum, label: x, help: x, values: [yes, 2]}", "the values of an enum are texts"),
        ("x: {type: enum, label: x, help: x, values: colours}", "colours"),
        ("x: {type: bool, label: x, help: x}", "a bool, and nothing else, has when_true"),
        ("x: {type: int, label: x, help: x, when_true: a, when_false: b}", "a bool, and nothing else, has when_true"),
        ("x: 3", "group Request"),
        ("action: {type: int, label: x, help: x}", "a key is written twice"),
    ],
)
def test_a_wrong_attribute_is_named(tmp_path: Path, line: str, problem: str) -> None:
    with pytest.raises(PolicyFileInvalid, match=r"schema\.yaml") as invalid:
        load(tmp_path, f"{HEAD}      {line}\n")

    assert problem in invalid.value.message


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "must hold 'version: 1'"),
        ("version: 2\ngroups: []\n", "must hold 'version: 1'"),
        ("version: 1\ngroups: {}\n", "'groups' must be a list"),
        ("version: 1\ngroups: [{name: x}]\n", "a group has exactly"),
        ("version: 1\ngroups: []\n", "the enum 'action' must be known for asset.preview"),
        ("version: 1\ngroups: [{name: x, actions: [asset.melt], attributes: {}}]\n", "'asset.melt' is not a known"),
        ("version: [\n", "cannot be read"),
        (HEAD + HEAD.partition("groups:\n")[2], "action is defined twice"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(PolicyFileInvalid) as invalid:
        load(tmp_path, text)

    assert problem in invalid.value.message


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyFileInvalid, match=r"absent\.yaml cannot be read"):
        load_schema(tmp_path / "absent.yaml")
