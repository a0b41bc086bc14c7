"""Explanations of rules."""

from hypothesis import given
from hypothesis import strategies as st

from governance.engines.types import Effect
from governance.rulebook.content import ABAC, SYSTEM, RevisionRule
from governance.rulebook.evaluation import holds as meaning
from governance.rulebook.explain import explain, first_failure, sentences_for_partner
from governance.rulebook.rules import system_rules
from governance.rulebook.schema import current_schema
from governance.rulebook.types import All, Any_, Compare, Not, Operator
from tests.factories.rulebook import every_kind, permitted_facts, rule
from tests.factories.rulebook_laws import conditions, facts, holds

SYSTEM_RULES = [RevisionRule(SYSTEM, spec) for spec in system_rules()]
KINDS = every_kind()
STATUS = Compare("asset.status", Operator.EQ, "active")
LICENSED = Any_((Compare("licence.any_region", Operator.EQ, True), Compare("subject.region", Operator.IN, ("DE",))))


@given(condition=conditions(KINDS, ["asset.infer"]), known=facts(KINDS, "asset.infer"))
def test_the_meaning_is_that_of_the_reference(condition, known) -> None:
    assert meaning(condition, known) == holds(condition, known)


@given(st.data())
def test_the_first_failure_is_a_part_that_does_not_hold(data: st.DataObject) -> None:
    known = data.draw(facts(KINDS, "asset.infer"))
    condition = data.draw(conditions(KINDS, ["asset.infer"]).filter(lambda drawn: not holds(drawn, known)))

    failed = first_failure(condition, known, KINDS)

    assert failed.sentence
    assert failed.seen


def test_what_matched_comes_first_and_denials_before_permits() -> None:
    known = permitted_facts("asset.infer", asset__status="quarantined")

    found = explain(rules=SYSTEM_RULES, action="asset.infer", facts=known)

    assert [each.rule_id for each in found if each.matched] == ["asset-quarantined"]
    assert found[0].decisive
    assert [each.effect for each in found[1:]].count(Effect.PERMIT) == 1


def test_a_rule_that_did_not_match_names_the_first_condition_that_failed_and_what_it_saw() -> None:
    known = permitted_facts("asset.infer", consent__state="expired")

    [permit] = [
        each for each in explain(rules=SYSTEM_RULES, action="asset.infer", facts=known) if each.effect == "permit"
    ]

    assert permit.failed is not None
    assert permit.failed.sentence == "the state of the creator's consent is active"
    assert [(seen.path, seen.value) for seen in permit.failed.seen] == [("consent.state", "expired")]


def test_all_failed_alternatives_are_shown() -> None:
    known = permitted_facts("model.invoke", licence__any_region=False, subject__region="FR")

    failed = first_failure(All((LICENSED,)), known, current_schema())

    assert {seen.path: seen.value for seen in failed.seen} == {"licence.any_region": False, "subject.region": "FR"}


def test_a_negation_that_failed_is_shown_as_one() -> None:
    failed = first_failure(Not(STATUS), permitted_facts("asset.infer"), current_schema())

    assert failed.sentence == "it is not so that the work's status is active"


def test_the_partner_gets_the_messages_of_the_denials() -> None:
    known = permitted_facts("asset.infer", asset__status="quarantined")

    told = sentences_for_partner(rules=SYSTEM_RULES, action="asset.infer", facts=known)

    assert told == ("The work is in quarantine and cannot be used.",)


def test_without_a_permit_the_partner_learns_only_about_its_own_attributes() -> None:
    own = RevisionRule(
        ABAC, rule(id="own", effect=Effect.PERMIT, condition=Compare("subject.tier", Operator.EQ, "gold"))
    )
    others = RevisionRule(
        ABAC, rule(id="others", effect=Effect.PERMIT, condition=Compare("asset.tags", Operator.CONTAINS, "x"))
    )

    told = sentences_for_partner(rules=[own, others], action="asset.infer", facts=permitted_facts("asset.infer"))

    assert told == (
        "No rule permits asset.infer here.",
        "It would require that the partner's tier is gold.",
        "What is agreed about the work does not cover this request.",
    )


def test_a_permit_is_explained_by_the_rules_that_permit() -> None:
    told = sentences_for_partner(rules=SYSTEM_RULES, action="model.invoke", facts=permitted_facts("model.invoke"))

    assert told == ("The licence open-commercial covers the model upscaler for the purpose commercial.",)
