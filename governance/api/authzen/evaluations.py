"""Evaluates questions of the Authorization API and records the answers."""

from collections.abc import Iterable, Iterator, Mapping

from django.db import transaction
from rest_framework.exceptions import ValidationError

from governance.api.authzen.questions import Refusal, context_for, question_for, version_in
from governance.api.authzen.serializers import EvaluationRequestSerializer
from governance.api.authzen.types import AccessDecision, BatchRequest, EvaluationRequest
from governance.api.entries import AccessEvaluated
from governance.audit.recording.record import record
from governance.audit.types import Actor, SubjectRef
from governance.decisions.explanations import explain_to_partner
from governance.decisions.services import Answer, answer_questions
from governance.kernel.canonical import digest, to_json_value
from governance.kernel.ids import new_id
from governance.partners.types import TokenGrant

_STOPS_AT = {"deny_on_first_deny": False, "permit_on_first_permit": True}
_KEPT = {"subject": ("type", "id"), "action": ("name",), "resource": ("type", "id"), "context": ()}


def evaluate(*, grant: TokenGrant, asked: EvaluationRequest, request_id: str) -> AccessDecision:
    """Return the decision about one valid question (section 6.2)."""
    context = asked.get("context", {})
    try:
        access = context_for(grant, asked["subject"], context)
        questions = question_for(
            grant=grant,
            context=access,
            action=asked["action"]["name"],
            resource=asked["resource"],
            version=version_in(grant, context),
        )
    except Refusal as refusal:
        return _refused(refusal.status, refusal.code, refusal.message)
    answer = answer_questions(questions)
    return _decision(grant, asked, answer, request_id)


def evaluate_all(
    *, grant: TokenGrant, batch: Iterable[Mapping[str, object]], semantic: str, request_id: str
) -> list[AccessDecision]:
    """Return the decisions about a batch, in its order, as far as the semantic goes (section 7.1.2).

    What is not a valid question is denied by itself, with the error in its context (section 7.2.1).
    """
    decisions: list[AccessDecision] = []
    for each in batch:
        form = EvaluationRequestSerializer(data=each)
        try:
            form.is_valid(raise_exception=True)
            decision = evaluate(grant=grant, asked=form.validated_data, request_id=request_id)
        except ValidationError:
            decision = _refused(400, "invalid", f"The question is not valid: {', '.join(_faults(form.errors))}.")
        decisions.append(decision)
        if _STOPS_AT.get(semantic) is decision["decision"]:
            break
    return decisions


def with_defaults(body: BatchRequest) -> Iterator[dict[str, object]]:
    """Yield the questions of a batch, each completed from the defaults (section 7.1.1).

    A member of the question replaces the default as a whole, except for what identifies it and was left out.
    """
    for each in body.get("evaluations", []):
        question: dict[str, object] = {}
        for name, kept in _KEPT.items():
            default, own = body.get(name), each.get(name)
            if own is None and default is None:
                continue
            if isinstance(own, dict) and isinstance(default, dict):
                own = {key: default[key] for key in kept if key in default} | own
            question[name] = default if own is None else own
        yield question


def _decision(grant: TokenGrant, asked: EvaluationRequest, answer: Answer, request_id: str) -> AccessDecision:
    evaluation_id = new_id()
    entry = AccessEvaluated(
        about=asked["subject"]["id"],
        action=asked["action"]["name"],
        resource={"type": asked["resource"]["type"], "id": asked["resource"]["id"]},
        effect="permit" if answer.permitted else "deny",
        reason_codes=tuple(dict.fromkeys(reason.code for reason in answer.reasons)),
        facts_sha256=digest([each.question.facts for each in answer.evaluated]),
        revision=answer.revision,
        engine=answer.engine,
        request_id=request_id,
    )
    with transaction.atomic():
        record(
            entry,
            subject=SubjectRef("evaluation", str(evaluation_id)),
            actor=Actor("client", grant.client.client_id),
        )
    context: dict[str, object] = {"id": str(evaluation_id), "revision": answer.revision, "engine": answer.engine}
    if answer.permitted:
        context["obligations"] = to_json_value(list(answer.obligations))
    else:
        context["reasons"] = [{"code": reason.code, "message": reason.message} for reason in answer.reasons]
        sentences = [reason.message for reason in answer.reasons]
        for each in answer.evaluated:
            action, facts = each.question.action.value, each.question.facts
            sentences += explain_to_partner(revision=answer.revision, action=action, facts=facts)
        context["reason_user"] = {"en": " ".join(dict.fromkeys(sentences))}
    return {"decision": answer.permitted, "context": context}


def _refused(status: int, code: str, message: str) -> AccessDecision:
    return {
        "decision": False,
        "context": {"error": {"status": status, "message": message}, "reasons": [{"code": code, "message": message}]},
    }


def _faults(errors: Mapping[str, object], path: str = "") -> Iterator[str]:
    for name, inner in errors.items():
        here = f"{path}.{name}".strip(".")
        if isinstance(inner, Mapping):
            yield from _faults(inner, here)
        else:
            yield here
