"""Asks policy what-if questions for the console, and explains the answers."""

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any
from uuid import UUID

from governance.catalog.models import Asset
from governance.console.evaluations import rule_views
from governance.decisions.explanations import explain_evaluation
from governance.decisions.questions import about_asset, about_model
from governance.decisions.services import answer_questions
from governance.decisions.side_by_side import EngineAnswer, agree, ask_each
from governance.decisions.types import AccessContext, QuestionSet
from governance.engines.casbin import CasbinEngine
from governance.engines.ports import PolicyEngine, policy_engine
from governance.engines.rego import RegoEngine
from governance.kernel import clock
from governance.kernel.canonical import to_json_value
from governance.kernel.errors import GovernanceError, InvalidInput
from governance.kernel.vocabulary import Action, Purpose
from governance.partners.models import ApiClient
from governance.partners.types import Coverage
from governance.registry.models import ModelVersion
from governance.registry.queries import resolve_version
from governance.rulebook.queries import active_program

_IN_PROCESS: tuple[PolicyEngine, ...] = (RegoEngine(), CasbinEngine())


class QuestionInvalid(InvalidInput):
    """A question of the playground names something that does not exist."""

    code = "question_invalid"
    title = "This cannot be asked"


def ask(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page shows: the answer, every engine's, and every rule explained. Raises QuestionInvalid."""
    questions = _questions(asked)
    [question] = questions.questions
    answer = answer_questions(questions)
    explanation = explain_evaluation(revision=answer.revision, action=question.action.value, facts=question.facts)
    engines = _each_engine(questions)
    return {
        "answer": answer,
        "question": question,
        "facts": json.dumps(to_json_value(question.facts), indent=2, ensure_ascii=False, sort_keys=True),
        "engines": engines,
        "agreed": agree(engines),
        "rules": rule_views(explanation),
    }


def _questions(asked: Mapping[str, Any]) -> QuestionSet:
    client = ApiClient.objects.select_related("partner__tier").filter(client_id=asked["client"]).first()
    if client is None:
        raise _invalid("client", "There is no such API client.")
    if asked["action"] not in frozenset(Action):
        raise _invalid("action", "There is no such action.")
    if asked["purpose"] not in frozenset(Purpose):
        raise _invalid("purpose", "There is no such purpose.")
    action = Action(asked["action"])
    context = AccessContext(
        partner=client.partner,
        client_id=client.client_id,
        token=Coverage.of_client(client),
        purpose=asked["purpose"],
        at=clock.now(),
    )
    version = _version(asked["model"]) if asked["model"] else None
    if action.startswith("model."):
        if version is None:
            raise _invalid("model", "Choose a model.")
        questions = about_model(context=context, action=action, version=version)
    else:
        questions = about_asset(context=context, action=action, asset=_asset(asked["work"]), version=version)
    return _changed(questions, asked.get("changes") or {})


def _changed(questions: QuestionSet, changes: Mapping[str, Any]) -> QuestionSet:
    [question] = questions.questions
    facts = deepcopy(dict(question.facts))
    for path, value in changes.items():
        *parents, name = path.split(".")
        place: Any = facts
        for parent in parents:
            place = place.get(parent) if isinstance(place, dict) else None
        if not isinstance(place, dict) or name not in place or isinstance(place[name], dict):
            raise _invalid("changes", f"{path} is not an attribute of {question.action}.")
        place[name] = value
    return replace(questions, questions=(replace(question, facts=facts),))


def _each_engine(questions: QuestionSet) -> list[EngineAnswer]:
    try:
        program, deciding = active_program(), policy_engine.get()
    except GovernanceError as error:
        return [EngineAnswer("none", None, error.message)]
    others = [engine for engine in _IN_PROCESS if engine.name != deciding.name]
    return ask_each(program=program, question=questions.questions[0], engines=[deciding, *others])


def _version(slug: str) -> ModelVersion:
    try:
        return resolve_version(model_slug=slug, ref=None)
    except GovernanceError as error:
        raise _invalid("model", error.message) from error


def _asset(work: str) -> Asset:
    try:
        key = UUID(work)
    except ValueError as error:
        raise _invalid("work", "An id looks like 01997c3e-8f6b-7d5c-9a53-2f1d0c6e4b7a.") from error
    asset = Asset.objects.select_related("creator", "dataset").filter(id=key).first()
    if asset is None:
        raise _invalid("work", "There is no such work.")
    return asset


def _invalid(field: str, message: str) -> QuestionInvalid:
    return QuestionInvalid(message, details={"field": field})
