"""Turns the decision document of a Rego module into an answer, and checks all of it.

The effect is computed in Rego, so that every Rego engine gives the same answer from the same module. It is computed
again here from the matched rules; where the two differ, there is no answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from governance.engines.errors import EngineUnavailable
from governance.engines.messages import render
from governance.engines.types import Effect, EngineRequest, EngineResult, Obligation, PolicyProgram, Reason
from governance.kernel.canonical import canonical_json
from governance.kernel.reason_codes import ReasonCode

_DOCUMENT_KEYS = {"effect", "permits", "denies"}


@dataclass(frozen=True, slots=True)
class MatchedRules:
    """The ids of the rules that matched, sorted. Deny overrides, and what no rule permits is denied."""

    permits: tuple[str, ...] = ()
    denies: tuple[str, ...] = ()

    @property
    def effect(self) -> Effect:
        """The effect that follows from them."""
        return Effect.PERMIT if self.permits and not self.denies else Effect.DENY

    def joined(self, other: "MatchedRules") -> "MatchedRules":
        """Return the union of both."""
        return MatchedRules(
            permits=tuple(sorted({*self.permits, *other.permits})),
            denies=tuple(sorted({*self.denies, *other.denies})),
        )


class DecisionMalformed(EngineUnavailable):
    """The decision document is not of the agreed shape, or contradicts itself."""


def result_of(*, document: object, program: PolicyProgram, request: EngineRequest) -> EngineResult:
    """Return the answer that a decision document `{effect, permits, denies}` holds. Raises DecisionMalformed."""
    return result_of_rules(matched=matched_rules(document, program, request.action), program=program, request=request)


def matched_rules(document: object, program: PolicyProgram, action: str) -> MatchedRules:
    """Return the rules that matched by a decision document, whose effect must follow from them.

    Raises DecisionMalformed.
    """
    if not isinstance(document, Mapping) or set(document) != _DOCUMENT_KEYS:
        raise DecisionMalformed(f"The decision for {action} is not a document of effect, permits and denies.")
    matched = MatchedRules(
        permits=_matched(document["permits"], Effect.PERMIT, program),
        denies=_matched(document["denies"], Effect.DENY, program),
    )
    if document["effect"] != matched.effect.value:
        raise DecisionMalformed(f"The decision for {action} contradicts the rules that matched.")
    return matched


def result_of_rules(*, matched: MatchedRules, program: PolicyProgram, request: EngineRequest) -> EngineResult:
    """Return the answer that follows from the rules that matched."""
    effect = matched.effect
    return EngineResult(
        effect=effect,
        matched_permits=matched.permits,
        matched_denies=matched.denies,
        obligations=_obligations(matched.permits, program) if effect is Effect.PERMIT else (),
        reasons=() if effect is Effect.PERMIT else _reasons(matched.denies, program, request),
    )


def denial(code: str, message: str) -> EngineResult:
    """Return a denial with one reason, which no rule gave."""
    return EngineResult(Effect.DENY, (), (), (), (Reason(code, message),))


def unknown_action(action: str) -> EngineResult:
    """Return the denial of an action that the program has no module for."""
    return denial(ReasonCode.ACTION_UNKNOWN, f"The active policy does not know the action {action}.")


def missing_attribute(path: str) -> EngineResult:
    """Return the denial of a request that lacks an attribute which the rules read."""
    return denial(ReasonCode.FACTS_INCOMPLETE, f"The attribute {path} is not known.")


def _matched(ids: object, effect: Effect, program: PolicyProgram) -> tuple[str, ...]:
    if not isinstance(ids, list) or not all(isinstance(rule_id, str) for rule_id in ids):
        raise DecisionMalformed(f"The matched {effect} rules are not a list of rule ids.")
    for rule_id in ids:
        meta = program.rules.get(rule_id)
        if meta is None or meta.effect is not effect:
            raise DecisionMalformed(f"The revision has no {effect} rule '{rule_id}'.")
    return tuple(sorted(set(ids)))


def _reasons(denies: Sequence[str], program: PolicyProgram, request: EngineRequest) -> tuple[Reason, ...]:
    if not denies:
        return (Reason(ReasonCode.NO_RULE_PERMITS, f"No rule permits {request.action} here."),)
    metas = ((rule_id, program.rules[rule_id]) for rule_id in denies)
    return tuple(Reason(meta.reason_code, render(meta.message, request.facts), rule_id) for rule_id, meta in metas)


def _obligations(permits: Sequence[str], program: PolicyProgram) -> tuple[Obligation, ...]:
    every = (obligation for rule_id in permits for obligation in program.rules[rule_id].obligations)
    unique = {(item.kind, canonical_json(item.parameters)): item for item in every}
    return tuple(unique[key] for key in sorted(unique))
