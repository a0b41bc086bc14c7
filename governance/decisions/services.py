"""The policy decision point: queries the engine, combines its answers, and records the decision."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from governance.audit.evidence.receipts import record_with_receipt
from governance.audit.recording.record import record
from governance.audit.types import Actor, SubjectRef
from governance.decisions.choices import DecisionEffect, DecisionKind
from governance.decisions.entries import DecisionRecorded, EngineDisagreed
from governance.decisions.models import DecisionRecord
from governance.decisions.ports import decision_cache, supported_obligations
from governance.decisions.receipts import decision_statement
from governance.decisions.types import AccessContext, Evaluated, EvaluationJson, Question, QuestionSet, ReasonJson
from governance.engines.errors import EngineDisagreement, EngineUnavailable, PolicyOverBudget
from governance.engines.ports import PolicyEngine, policy_engine
from governance.engines.results import denial
from governance.engines.types import Effect, EngineRequest, EngineResult, PolicyProgram, Reason
from governance.kernel import clock
from governance.kernel.canonical import Json, canonical_json, digest, to_json_object
from governance.kernel.errors import GovernanceError
from governance.kernel.reason_codes import ReasonCode
from governance.rulebook.queries import active_program
from governance.rulebook.schema import missing_facts

logger = logging.getLogger(__name__)

_NO_RULE_PERMITS = Reason(ReasonCode.NO_RULE_PERMITS, ReasonCode.NO_RULE_PERMITS.sentence)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a batch of questions. It is a permit if there are no `reasons` and at least one question."""

    evaluated: tuple[Evaluated, ...]
    reasons: tuple[Reason, ...]
    obligations: tuple[Mapping[str, Json], ...]
    revision: str
    engine: str
    duration_us: int

    @property
    def permitted(self) -> bool:
        """Whether every question is permitted and every obligation can be carried out."""
        return bool(self.evaluated) and not self.reasons


@dataclass(frozen=True, slots=True)
class _Asked:
    evaluated: tuple[Evaluated, ...]
    revision: str
    engine: str
    duration_us: int


def decide(
    *,
    kind: DecisionKind,
    job_id: UUID,
    context: AccessContext,
    asked: QuestionSet,
    actor: Actor,
    request_id: str = "",
) -> DecisionRecord:
    """Decide a batch of questions and return the stored record.

    Permits only if every question is permitted; whatever keeps the engine from a sound answer is a denial with a
    stable reason code (`no_active_revision`, `engine_unavailable`, `facts_incomplete`, `obligation_unsupported`, ...).
    Must run inside the transaction of the change it decides about; never raises for a policy outcome.
    """
    answer = answer_questions(asked)
    with transaction.atomic():
        decision = DecisionRecord.objects.create(
            kind=kind,
            job_id=job_id,
            partner=context.partner.slug,
            client_id=context.client_id,
            purpose=context.purpose,
            effect=DecisionEffect.PERMIT if answer.permitted else DecisionEffect.DENY,
            reason_codes=sorted({reason.code for reason in answer.reasons}),
            reasons=[_reason_json(reason) for reason in answer.reasons],
            evaluations=[_evaluation_json(each) for each in answer.evaluated],
            obligations=list(answer.obligations) if answer.permitted else [],
            consent_epochs=dict(asked.consent_epochs),
            licence_versions=dict(asked.licences),
            facts_digest=digest([each.question.facts for each in answer.evaluated]),
            revision_digest=answer.revision,
            engine=answer.engine,
            duration_us=answer.duration_us,
            request_id=request_id,
            decided_at=clock.now(),
        )
        entry = DecisionRecorded.of(decision)
        record_with_receipt(
            entry,
            subject=SubjectRef("decision", str(decision.id)),
            actor=actor,
            **decision_statement(decision, entry.to_data()),
        )
        if EngineDisagreement.code in decision.reason_codes:
            record(EngineDisagreed.of(decision), subject=SubjectRef("decision", str(decision.id)), actor=actor)
    return decision


def answer_questions(asked: QuestionSet) -> Answer:
    """Return the answer to a batch of questions without recording it.

    For questions after which nothing is done here. Fails closed like `decide`, and never raises for a policy outcome.
    """
    found = _answer(asked)
    obligations = _obligations(found.evaluated, asked.obligations)
    reasons = _reasons(found.evaluated, obligations)
    return Answer(found.evaluated, tuple(reasons), tuple(obligations), found.revision, found.engine, found.duration_us)


def _answer(asked: QuestionSet) -> _Asked:
    questions = asked.questions
    try:
        program = active_program()
    except GovernanceError as error:
        logger.error("no policy to decide by: %s", error.message)
        return _Asked(_refuse_all(questions, error.error_code, _sentence(type(error))), "", "none", 0)
    started = time.perf_counter_ns()
    try:
        engine = policy_engine.get()
        evaluated = _ask(engine, program, asked)
    except Exception as error:  # whatever goes wrong in an engine must end as a denial, never as a way past it
        logger.exception("the policy engine gave no answer")
        fault = type(error) if isinstance(error, EngineDisagreement | PolicyOverBudget) else EngineUnavailable
        refused = _refuse_all(questions, fault.code, _sentence(fault))
        return _Asked(refused, program.revision, "none", _elapsed_us(started))
    return _Asked(evaluated, program.revision, engine.name, _elapsed_us(started))


def _ask(engine: PolicyEngine, program: PolicyProgram, asked: QuestionSet) -> tuple[Evaluated, ...]:
    """Send the questions whose facts are complete to the engine; deny the others without asking."""
    questions = asked.questions
    missing = [missing_facts(question.action, question.facts) for question in questions]
    requests = [
        EngineRequest(action=question.action.value, facts=question.facts)
        for question, gaps in zip(questions, missing, strict=True)
        if not gaps
    ]
    answers = iter(
        decision_cache.get().evaluate(
            engine=engine, program=program, requests=requests, consent_epochs=asked.consent_epochs
        )
    )
    return tuple(
        Evaluated(question, _incomplete(gaps) if gaps else next(answers))
        for question, gaps in zip(questions, missing, strict=True)
    )


def _incomplete(gaps: Sequence[str]) -> EngineResult:
    return denial(ReasonCode.FACTS_INCOMPLETE, f"These attributes are missing or of the wrong type: {', '.join(gaps)}.")


def _refuse_all(questions: Sequence[Question], code: str, message: str) -> tuple[Evaluated, ...]:
    return tuple(Evaluated(question, denial(code, message)) for question in questions)


def _sentence(error: type[GovernanceError]) -> str:
    return f"No decision could be made, so the answer is no: {error.title[0].lower()}{error.title[1:]}."


def _elapsed_us(started_ns: int) -> int:
    return (time.perf_counter_ns() - started_ns) // 1000


def _obligations(evaluated: Iterable[Evaluated], of_licence: Iterable[Mapping[str, Json]]) -> list[dict[str, Json]]:
    """Return the obligations of the permits and of the licence, each once, in a stable order."""
    demanded: list[dict[str, object]] = [dict(each) for each in of_licence]
    for each in evaluated:
        demanded += [{"kind": item.kind, "parameters": dict(item.parameters)} for item in each.result.obligations]
    unique = {canonical_json(item): to_json_object(item) for item in demanded}
    return [unique[key] for key in sorted(unique)]


def _reasons(evaluated: Iterable[Evaluated], obligations: Iterable[Mapping[str, Json]]) -> list[Reason]:
    reasons: dict[tuple[str, str], Reason] = {}
    for each in evaluated:
        if each.result.effect is not Effect.PERMIT:
            for reason in each.result.reasons or (_NO_RULE_PERMITS,):
                reasons.setdefault((reason.code, reason.message), reason)
    if not reasons:
        supported, code = supported_obligations.get(), ReasonCode.OBLIGATION_UNSUPPORTED
        for kind in sorted({str(item["kind"]) for item in obligations} - supported):
            message = f"The permit demands '{kind}', which nothing here can carry out."
            reasons[code, message] = Reason(code, message)
    return list(reasons.values())


def _reason_json(reason: Reason) -> ReasonJson:
    return {"code": reason.code, "message": reason.message, "rule": reason.rule_id}


def _evaluation_json(each: Evaluated) -> EvaluationJson:
    result = each.result
    return {
        "action": each.question.action.value,
        "resource": {"type": each.question.resource_type, "id": each.question.resource_id},
        "effect": result.effect.value,
        "matched_rules": {"permit": list(result.matched_permits), "deny": list(result.matched_denies)},
        "reasons": [_reason_json(reason) for reason in result.reasons],
        "obligations": [{"kind": item.kind, "parameters": dict(item.parameters)} for item in result.obligations],
        "facts": to_json_object(each.question.facts),
    }
