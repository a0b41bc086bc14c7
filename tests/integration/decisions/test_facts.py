"""The information point provides exactly what the attribute schema declares."""

import pytest

from governance.catalog.models import Dataset
from governance.decisions.facts import release_questions, run_questions
from governance.decisions.types import ReleaseFacts
from governance.rulebook.schema import attributes_for, missing_facts

RELEASE = ReleaseFacts(
    job_id="job",
    input_score=0.1,
    output_score=0.2,
    input_labels=("FACE_FEMALE",),
    output_labels=(),
    cancel_requested=False,
    width=10,
    height=20,
)


@pytest.fixture
def questions(market, context):
    asked = release_questions(context=context, version=market.version, assets=[market.asset], release=RELEASE)
    return {question.action: question for question in asked.questions}


def paths(facts, prefix=""):
    found = set()
    for name, value in facts.items():
        nested = paths(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}"}
        found |= nested
    return found


@pytest.mark.parametrize("action", ["model.invoke", "asset.infer", "output.release"])
def test_facts_are_total_and_nothing_is_given_that_no_rule_may_name(questions, action):
    question = questions[action]
    assert missing_facts(question.action, question.facts) == []
    assert paths(question.facts) == {attribute.path for attribute in attributes_for(action)}


def test_a_release_asks_again_all_that_a_run_asks(market, context):
    run = run_questions(context=context, version=market.version, assets=[market.asset])
    released = release_questions(context=context, version=market.version, assets=[market.asset], release=RELEASE)
    assert released.questions[: len(run.questions)] == run.questions


def test_facts_name_people_by_slug_only(market, questions):
    market.creator.display_name = "Ada Lindqvist"
    assert "Lindqvist" not in str(questions["asset.infer"].facts)
    assert questions["asset.infer"].facts["asset"]["creator"] == "ada"


def test_a_dataset_is_named_by_its_slug(market, context):
    market.asset.dataset = Dataset.objects.create(slug="portraits", name="Portraits")
    asked = run_questions(context=context, version=market.version, assets=[market.asset])
    assert asked.questions[1].facts["asset"]["dataset"] == "portraits"


def test_consent_that_no_longer_covers_the_purpose_is_not_active(market, context):
    market.withdraw()
    asked = release_questions(context=context, version=market.version, assets=[market.asset], release=RELEASE)
    assert asked.questions[-1].facts["consent"]["active"] is False
