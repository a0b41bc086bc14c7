"""Evaluates recorded decisions again, from the recorded facts, by any revision or draft."""

from collections.abc import Sequence
from dataclasses import dataclass

from governance.decisions.choices import DecisionEffect
from governance.decisions.models import DecisionRecord
from governance.decisions.ports import supported_obligations
from governance.decisions.types import EvaluationJson
from governance.engines.ports import offline_engine
from governance.engines.types import Effect, EngineRequest, EngineResult, PolicyProgram
from governance.kernel.canonical import canonical_json
from governance.kernel.reason_codes import ReasonCode
from governance.rulebook.archive import archived_program
from governance.rulebook.schema import missing_facts

#: Reasons that no rule gave, although policy answered.
_ANSWERS = {ReasonCode.ACTION_UNKNOWN, ReasonCode.NO_RULE_PERMITS}


@dataclass(frozen=True, slots=True)
class Reevaluation:
    """A recorded evaluation, and the answer of another program to the same facts."""

    recorded: EvaluationJson
    result: EngineResult

    @property
    def flipped(self) -> bool:
        """Whether the other program gives another effect than the one on record."""
        return self.recorded["effect"] != self.result.effect.value


@dataclass(frozen=True, slots=True)
class Remade:
    """A decision made again with its own revision. `differences` are sentences; none means that it agrees."""

    decision: DecisionRecord
    effect: str
    evaluations: int
    differences: tuple[str, ...]
    undecided: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the decision came out as recorded."""
        return not self.differences


def why_undecided(decision: DecisionRecord) -> str:
    """Return why policy gave no answer when this was decided; an empty string when it did.

    Outages, freezes and missing facts deny without any rule; no revision can answer such a decision again.
    """
    if not decision.revision_digest or decision.engine == "none":
        return ", ".join(decision.reason_codes) or ReasonCode.NO_ACTIVE_REVISION
    for evaluation in decision.evaluations:
        for reason in evaluation["reasons"]:
            if reason["rule"] is None and reason["code"] not in _ANSWERS:
                return str(reason["code"])
    unsupported = ReasonCode.OBLIGATION_UNSUPPORTED
    return unsupported if unsupported in decision.reason_codes else ""


def lacks_facts(decision: DecisionRecord) -> bool:
    """Return whether the present schema has an attribute that the decision's facts lack."""
    return any(missing_facts(each["action"], each["facts"]) for each in decision.evaluations)


def reevaluate(*, decisions: Sequence[DecisionRecord], program: PolicyProgram) -> list[list[Reevaluation]]:
    """Return, for each decision, its evaluations answered by `program`. Raises EngineUnavailable."""
    asked = [evaluation for decision in decisions for evaluation in decision.evaluations]
    requests = [EngineRequest(each["action"], each["facts"]) for each in asked]
    results = iter(offline_engine.get().evaluate(program=program, requests=requests) if requests else [])
    return [[Reevaluation(each, next(results)) for each in decision.evaluations] for decision in decisions]


def effect_of(answers: Sequence[Reevaluation]) -> DecisionEffect:
    """Return the effect of the answers together: a permit only if every one permits and every obligation can be met."""
    demanded = {item.kind for each in answers for item in each.result.obligations}
    permitted = bool(answers) and all(each.result.effect is Effect.PERMIT for each in answers)
    return DecisionEffect.PERMIT if permitted and demanded <= supported_obligations.get() else DecisionEffect.DENY


def remake(decision: DecisionRecord) -> Remade:
    """Make a past decision again with its own revision, read back from WORM storage, and compare.

    Effect, matched rules, reasons and obligations of every evaluation must be the same. A decision that no policy made
    is not compared. Raises RevisionNotFound, RevisionCorrupt, EngineUnavailable, and what WormStore.get raises.
    """
    undecided = why_undecided(decision)
    if undecided:
        return Remade(decision, decision.effect, 0, (), undecided)
    program = archived_program(decision.revision_digest)
    [answers] = reevaluate(decisions=[decision], program=program)
    differences = [difference for each in answers for difference in _differences(each)]
    effect = effect_of(answers)
    if effect != decision.effect:
        differences.append(f"the decision would be {effect}, not {decision.effect}")
    return Remade(decision, str(effect), len(answers), tuple(differences))


def _differences(again: Reevaluation) -> list[str]:
    recorded, result = again.recorded, again.result
    pairs: dict[str, tuple[object, object]] = {
        "effect": (recorded["effect"], result.effect.value),
        "permits": (recorded["matched_rules"]["permit"], list(result.matched_permits)),
        "denies": (recorded["matched_rules"]["deny"], list(result.matched_denies)),
        "reasons": (
            [[each["code"], each["message"], each["rule"]] for each in recorded["reasons"]],
            [[reason.code, reason.message, reason.rule_id] for reason in result.reasons],
        ),
        "obligations": (
            recorded["obligations"],
            [{"kind": item.kind, "parameters": dict(item.parameters)} for item in result.obligations],
        ),
    }
    return [
        f"{recorded['action']}: {name} were {then}, are {now}"
        for name, (then, now) in pairs.items()
        if canonical_json(then) != canonical_json(now)
    ]
