"""Rules as English sentences."""

import pytest
from hypothesis import given, settings

from governance.engines.types import Effect, Obligation
from governance.rulebook.schema import current_schema
from governance.rulebook.sentences import condition_sentence, operator_label, sentence
from governance.rulebook.types import All, Any_, Compare, Condition, Not, Operator
from tests.effort import examples
from tests.factories.rulebook import BLOCK_REGION, REGION_IS_DE, every_kind, rule
from tests.factories.rulebook_laws import conditions

SCHEMA = current_schema()
OP = Operator
ADA = Compare("asset.creator", OP.EQ, "ada")
WIDE = Compare("asset.width", OP.GT, 4096)


def test_a_rule_is_one_sentence() -> None:
    assert sentence(BLOCK_REGION, SCHEMA) == (
        "Deny asset.infer and model.invoke when the partner's region is one of DE, FR."
    )


def test_obligations_are_part_of_the_sentence() -> None:
    demanded = (Obligation("attribution", {"text": "Ada {x}"}), Obligation("embed_provenance"))

    assert sentence(rule(effect=Effect.PERMIT, obligations=demanded), SCHEMA).endswith(
        ' DE, FR, provided that the output names "Ada {x}" as its author and states its provenance.'
    )


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        (("asset.infer",), "asset.infer"),
        (("asset.infer", "asset.train", "model.invoke"), "asset.infer, asset.train and model.invoke"),
        (("asset.preview", "asset.infer", "asset.train", "asset.export", "model.invoke"), "asset.* and model.invoke"),
        (("output.release",), "output.release"),
        (SCHEMA.actions, "every action"),
    ],
)
def test_a_kind_of_action_that_is_complete_is_named_as_a_whole(actions: tuple[str, ...], words: str) -> None:
    assert sentence(rule(actions=actions, effect=Effect.PERMIT), SCHEMA).startswith(f"Permit {words} when ")


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Compare("subject.partner", OP.NE, "pixel press"), 'the partner is not "pixel press"'),
        (Compare("subject.partner", OP.EQ, 'say "x"'), 'the partner is "say \\"x\\""'),
        (Compare("subject.partner", OP.STARTS_WITH, "pix"), "the partner starts with pix"),
        (Not(Compare("subject.partner", OP.STARTS_WITH, "pix")), "the partner does not start with pix"),
        (Compare("purpose", OP.NOT_IN, other="licence.purposes"), "the purpose is none of the purposes of the licence"),
        (Compare("asset.tags", OP.CONTAINS, "nude"), "the work's tags include nude"),
        (Not(Compare("asset.tags", OP.CONTAINS, "nude")), "the work's tags do not include nude"),
        (Not(Compare("asset.tags", OP.INTERSECTS, ("a", "b"))), "the work's tags include none of a, b"),
        (Compare("asset.dataset", OP.EXISTS), "the work's dataset is set"),
        (Not(Compare("asset.dataset", OP.EXISTS)), "the work's dataset is not set"),
        (
            Not(Compare("asset.dataset", OP.STARTS_WITH, "x")),
            "it is not so that the work's dataset starts with x",
        ),
        (Compare("asset.width", OP.BETWEEN, (1, 4096)), "the work's width in pixels is from 1 to 4096"),
        (Compare("moderation.output_score", OP.GTE, 0.6), "the output's moderation score is at least 0.6"),
        (
            Compare("request.time", OP.LT, "2026-11-20T12:00:00.000000Z"),
            "the time of the request is before 2026-11-20T12:00:00.000000Z",
        ),
        (Compare("token.any_model", OP.EQ, True), "the token covers every model"),
        (Compare("token.any_model", OP.EQ, False), "the token is limited to named models"),
        (
            Compare("token.any_model", OP.EQ, other="token.any_dataset"),
            "the token covers every model is the token covers every dataset",
        ),
        (
            All((ADA, Any_((WIDE, REGION_IS_DE)))),
            "the creator is ada and (the work's width in pixels is more than 4096 or the partner's region is DE)",
        ),
        (
            Any_((ADA, All((WIDE, REGION_IS_DE)))),
            "the creator is ada or (the work's width in pixels is more than 4096 and the partner's region is DE)",
        ),
        (Not(All((ADA, REGION_IS_DE))), "it is not so that (the creator is ada and the partner's region is DE)"),
        (
            All((All((ADA, REGION_IS_DE)), ADA)),
            "the creator is ada and the partner's region is DE and the creator is ada",
        ),
    ],
)
def test_conditions_read_as_phrases(condition: Condition, words: str) -> None:
    assert condition_sentence(condition, SCHEMA) == words


@given(conditions(every_kind(), ["asset.infer"]))
@settings(max_examples=examples(50))
def test_every_condition_is_one_printable_line(condition: Condition) -> None:
    assert condition_sentence(condition, every_kind()).isprintable()


@pytest.mark.parametrize(
    ("path", "op", "label"),
    [
        ("asset.width", OP.BETWEEN, "is from … to"),
        ("asset.dataset", OP.EXISTS, "is set"),
        ("request.time", OP.GTE, "is not before"),
        ("asset.width", OP.GTE, "is at least"),
    ],
)
def test_operators_have_labels(path: str, op: Operator, label: str) -> None:
    assert operator_label(SCHEMA.attributes[path], op) == label
