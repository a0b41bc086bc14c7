"""The content of revisions."""

import json
from typing import Any

import pytest

from governance.engines.types import Effect, Obligation
from governance.kernel.canonical import canonical_json, sha256_hex
from governance.rulebook.content import ABAC, SYSTEM, RevisionRule, build_content, program_of, rules_of
from governance.rulebook.errors import RevisionCorrupt, RuleInvalid
from governance.rulebook.schema import current_schema
from tests.factories.rulebook import BLOCK_REGION, rule

SCHEMA = current_schema()
OPEN = rule(id="open", effect=Effect.PERMIT, obligations=(Obligation("limit_resolution", {"max_edge": 512}),))


def test_content_is_addressed_by_its_digest_whatever_the_order_of_the_rules() -> None:
    first = build_content(schema=SCHEMA, system=[BLOCK_REGION, OPEN], abac=[])
    second = build_content(schema=SCHEMA, system=[OPEN, BLOCK_REGION], abac=[])

    assert first == second
    assert first.digest == sha256_hex(first.text.encode())
    assert first.text.encode() == canonical_json(json.loads(first.text))
    assert first.rule_count == 2
    assert json.loads(first.text)["schema"] == SCHEMA.digest


def test_where_a_rule_comes_from_is_part_of_the_content() -> None:
    system = build_content(schema=SCHEMA, system=[OPEN, BLOCK_REGION], abac=[])
    abac = build_content(schema=SCHEMA, system=[OPEN], abac=[BLOCK_REGION])

    assert system.digest != abac.digest
    assert rules_of(text=abac.text, digest=abac.digest) == (
        RevisionRule(ABAC, BLOCK_REGION),
        RevisionRule(SYSTEM, OPEN),
    )


def test_two_rules_with_one_id_are_refused() -> None:
    with pytest.raises(RuleInvalid, match="Rule 'block-region': id: Another rule has this id"):
        build_content(schema=SCHEMA, system=[BLOCK_REGION], abac=[BLOCK_REGION])


def test_the_program_carries_modules_and_what_the_rules_mean() -> None:
    content = build_content(schema=SCHEMA, system=[OPEN], abac=[BLOCK_REGION])

    program = program_of(text=content.text, digest=content.digest)

    assert program.revision == content.digest
    assert set(program.modules) == set(SCHEMA.actions)
    assert program.rules["open"].obligations == OPEN.obligations
    assert program.rules["block-region"].reason_code == "region_blocked"
    assert program.rules["block-region"].message == BLOCK_REGION.message
    with pytest.raises(TypeError):
        program.modules["asset.infer"] = ""  # type: ignore[index]


def test_altered_content_is_corrupt() -> None:
    content = build_content(schema=SCHEMA, system=[OPEN], abac=[])

    with pytest.raises(RevisionCorrupt, match="has another digest"):
        program_of(text=content.text.replace("permit", "Permit"), digest=content.digest)


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"format": 2},
        {"format": 1},
        {"format": 1, "modules": [], "rules": []},
        {"format": 1, "modules": {}, "rules": [{"id": "x", "effect": "allow"}]},
        {"format": 1, "modules": {}, "rules": [3]},
    ],
)
def test_content_of_another_shape_is_corrupt(content: Any) -> None:
    text = json.dumps(content)

    with pytest.raises(RevisionCorrupt):
        program_of(text=text, digest=sha256_hex(text.encode()))


@pytest.mark.parametrize("rules", [[3], [{"origin": "abac"}], [{"origin": "abac", "condition": {}}]])
def test_rules_of_another_shape_are_corrupt(rules: Any) -> None:
    text = json.dumps({"format": 1, "modules": {}, "rules": rules})

    with pytest.raises(RevisionCorrupt):
        rules_of(text=text, digest=sha256_hex(text.encode()))
