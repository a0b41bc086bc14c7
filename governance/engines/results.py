"""Turns the decision document of a Rego module into an answer, and trusts none of it unchecked.

The effect is computed in Rego, so that every Rego engine gives the same answer from the same module. It is computed
here once more from the matched rules; where the two differ, there is no answer.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from governance.engines.errors import EngineUnavailable
from governance.engines.messages import render
from governance.engines.types import Effect, EngineRequest, EngineResult, Obligation, PolicyProgram, Reason
from governance.kernel.canonical import canonical_json

ACTION_UNKNOWN = "action_unknown"
FACTS_INCOMPLETE = "facts_incomplete"
NO_RULE_PERMITS = "no_rule_permits"

_DOCUMENT_KEYS = {"effect", "permits", "denies"}


class DecisionMalformed(EngineUnavailable):
    """The decision document is not of the agreed shape, or contradicts itself."""


def result_of(*, document: object, program: PolicyProgram, request: EngineRequest) -> EngineResult:
    """Return the answer that a decision document `{effect, permits, denies}` holds. Raises DecisionMalformed."""
    if not isinstance(document, Mapping) or set(document) != _DOCUMENT_KEYS:
        raise DecisionMalformed(f"The decision for {request.action} is not a document of effect, permits and denies.")
    permits = _matched(document["permits"], Effect.PERMIT, program)
    denies = _matched(document["denies"], Effect.DENY, program)
    effect = Effect.PERMIT if permits and not denies else Effect.DENY
    if document["effect"] != effect.value:
        raise DecisionMalformed(f"The decision for {request.action} contradicts the rules that matched.")
    return EngineResult(
        effect=effect,
        matched_permits=permits,
        matched_denies=denies,
        obligations=_obligations(permits, program) if effect is Effect.PERMIT else (),
        reasons=() if effect is Effect.PERMIT else _reasons(denies, program, request),
    )


def denial(*, code: str, message: str) -> EngineResult:
    """Return a denial that no rule spoke, with one reason."""
    return EngineResult(Effect.DENY, (), (), (), (Reason(code, message),))


def _matched(ids: Any, effect: Effect, program: PolicyProgram) -> tuple[str, ...]:
    if not isinstance(ids, list) or not all(isinstance(rule_id, str) for rule_id in ids):
        raise DecisionMalformed(f"The matched {effect} rules are not a list of rule ids.")
    for rule_id in ids:
        meta = program.rules.get(rule_id)
        if meta is None or meta.effect is not effect:
            raise DecisionMalformed(f"The revision has no {effect} rule '{rule_id}'.")
    return tuple(sorted(set(ids)))


def _reasons(denies: Sequence[str], program: PolicyProgram, request: EngineRequest) -> tuple[Reason, ...]:
    if not denies:
        return (Reason(NO_RULE_PERMITS, f"No rule permits {request.action} here."),)
    metas = ((rule_id, program.rules[rule_id]) for rule_id in denies)
    return tuple(Reason(meta.reason_code, render(meta.message, request.facts), rule_id) for rule_id, meta in metas)


def _obligations(permits: Sequence[str], program: PolicyProgram) -> tuple[Obligation, ...]:
    every = (obligation for rule_id in permits for obligation in program.rules[rule_id].obligations)
    unique = {(item.kind, canonical_json(item.parameters)): item for item in every}
    return tuple(unique[key] for key in sorted(unique))
