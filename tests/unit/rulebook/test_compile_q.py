"""Conditions as `Q`: what is decided before any row is looked at. What rows then match is held against the engines."""

import pytest
from django.db.models import F, Q
from hypothesis import given
from hypothesis import strategies as st

from governance.rulebook.compile_q import Column, NotInQuery, compile_condition, every, some
from governance.rulebook.types import All, Any_, Compare, Not, Operator
from tests.factories.rulebook import every_kind
from tests.factories.rulebook_laws import conditions, facts, holds

KINDS = every_kind()
SURE, MAYBE = Column(F("creator__slug")), Column(F("dataset__slug"), nullable=True)
COLUMNS = {"asset.creator": SURE, "asset.dataset": MAYBE}
ADA = Compare("asset.creator", Operator.EQ, "ada")
DE = Compare("subject.region", Operator.EQ, "DE")
UNKNOWN = Compare("model.owner", Operator.EQ, "x")
IN_DE, IN_FR = {"subject": {"region": "DE"}}, {"subject": {"region": "FR"}}


def compiled(condition, known=IN_DE, negated=False):
    return compile_condition(condition, facts=known, columns=COLUMNS, negated=negated)


@given(condition=conditions(KINDS, ["asset.infer"]), known=facts(KINDS, "asset.infer"), negated=st.booleans())
def test_where_every_fact_is_known_no_row_is_needed(condition, known, negated) -> None:
    found = compile_condition(condition, facts=known, columns={}, negated=negated)

    assert found.q is (holds(condition, known) is not negated)


def test_known_conditions_drop_out_of_the_query() -> None:
    assert compiled(All((DE, ADA))).q == compiled(ADA).q
    assert compiled(All((DE, ADA)), IN_FR).q is False
    assert compiled(Any_((DE, ADA))).q is True
    assert compiled(Any_((DE, ADA)), IN_FR).q == compiled(ADA).q
    assert compiled(Not(All((DE, ADA))), IN_FR).q is True


def test_the_columns_in_a_condition_are_named() -> None:
    both = All((ADA, Compare("asset.dataset", Operator.EXISTS)))

    assert compiled(both).columns == {"asset.creator", "asset.dataset"}
    assert compiled(DE).columns == frozenset()


def test_only_a_column_that_may_be_null_is_guarded_when_it_is_negated() -> None:
    dataset = Compare("asset.dataset", Operator.EQ, "x")

    assert len(compiled(ADA, negated=True).q.children) == 1
    assert compiled(dataset, negated=True).q.connector == Q.OR


def test_exists_holds_for_a_column_that_is_never_null() -> None:
    assert compiled(Compare("asset.creator", Operator.EXISTS)).q is True
    assert compiled(Compare("asset.creator", Operator.EXISTS), negated=True).q is False


@pytest.mark.parametrize("operator", [Operator.EQ, Operator.NE, Operator.IN])
def test_a_known_null_compares_with_nothing(operator) -> None:
    compare = Compare("asset.creator", operator, other="consent.level")

    assert compiled(compare, {"consent": {"level": None}}).q is False
    assert compiled(compare, {"consent": {"level": None}}, negated=True).q is True


def test_an_attribute_that_is_neither_known_nor_a_column_is_an_error() -> None:
    with pytest.raises(NotInQuery) as caught:
        compiled(All((ADA, UNKNOWN)))

    assert caught.value.path == "model.owner"


def test_an_unknown_attribute_is_no_error_where_nothing_depends_on_it() -> None:
    assert compiled(All((UNKNOWN, DE)), IN_FR).q is False
    assert compiled(Any_((UNKNOWN, DE))).q is True


def test_every_and_some_of_nothing() -> None:
    assert every([]).q is True
    assert some([]).q is False


def test_a_known_text_is_looked_for_the_faster_way() -> None:
    column = Column(F("pairs"), has=lambda text: Q(level=text))
    condition = Compare("consent.request", Operator.IN, other="consent.pairs")

    found = compile_condition(condition, facts={"consent": {"request": "a:b"}}, columns={"consent.pairs": column})

    assert found.q == Q(level="a:b")
