"""The Casbin engine: pycasbin, in this process, over policy lines compiled from the rules.

Casbin answers with an effect only, and stops at the first denial. To learn every rule that matched, the effector does
not stop early, and the function `holds` in the matcher notes the rules. The effect is Casbin's, and must be the one
that follows from the noted rules. An enforcer belongs to one thread.
"""

import threading
from collections.abc import Mapping, Sequence

from casbin import Enforcer
from casbin.effect import Effector
from casbin.effect.default_effectors import AllowAndDenyEffector
from casbin.util.log import disabled_logging

from governance.engines.conditions import condition_test
from governance.engines.errors import EngineUnavailable, ProgramProblem, ProgramRejected
from governance.engines.rego_input import FactMissing
from governance.engines.results import missing_attribute, result_of, unknown_action
from governance.engines.types import CasbinModule, Effect, EngineRequest, EngineResult, PolicyProgram


class CasbinEngine:
    """A `PolicyEngine` on pycasbin. Safe to share between threads."""

    name = "casbin"

    def __init__(self) -> None:
        self._threads = threading.local()

    def evaluate(self, *, program: PolicyProgram, requests: Sequence[EngineRequest]) -> list[EngineResult]:
        """Answer every request, in order. Raises EngineUnavailable when any of them cannot be answered."""
        return [self._answer(program, request) for request in requests]

    def check(self, *, program: PolicyProgram) -> None:
        """Refuse what Casbin cannot run: hand-written Rego, and conditions that it cannot read. ProgramRejected."""
        problems: list[ProgramProblem] = []
        for action in sorted(program.modules):
            module = program.casbin.get(action)
            if module is None:
                problem = "it holds more than compiled rules, such as hand-written Rego, which Casbin cannot run"
                problems.append(ProgramProblem(action, 0, problem))
            else:
                problems += _unreadable(action, module)
        if problems:
            raise ProgramRejected(problems)

    def _answer(self, program: PolicyProgram, request: EngineRequest) -> EngineResult:
        if request.action not in program.modules:
            return unknown_action(request.action)
        try:
            module = program.casbin[request.action]
            lines = _candidates(program, module, request)
            matched = self._enforcer(module.model).matched(request, lines) if lines else (False, [])
            return result_of(document=_document(module, *matched), program=program, request=request)
        except FactMissing as missing:
            return missing_attribute(missing.path)
        except EngineUnavailable:
            raise
        except Exception as error:
            raise EngineUnavailable(f"The Casbin engine could not decide {request.action}.") from error

    def _enforcer(self, model: str) -> "_Enforcer":
        enforcers: dict[str, _Enforcer] = self._threads.__dict__
        if model not in enforcers:
            enforcers[model] = _Enforcer(model)
        return enforcers[model]


class _EveryRule(AllowAndDenyEffector):  # type: ignore[misc]
    """Deny overrides, without stopping before every policy line was evaluated."""

    def intermediate_effect(self, effects: set[int]) -> int:
        """Return that nothing is decided yet, whatever matched so far."""
        return int(Effector.INDETERMINATE)


class _Enforcer(Enforcer):  # type: ignore[misc]
    """An enforcer whose policy lines change from request to request, and that reports which of them matched."""

    def __init__(self, model: str) -> None:
        disabled_logging()  # it would log every request with its facts
        super().__init__(self.new_model(text=model))
        self.eft = _EveryRule()
        self._noted: list[str] = []
        self._expression: object = None
        self.add_function("holds", self._holds)

    def matched(self, request: EngineRequest, lines: Sequence[Sequence[str]]) -> tuple[bool, list[str]]:
        """Return Casbin's answer, and the ids of the rules that matched."""
        self._noted = []
        self.model["p"]["p"].policy = lines
        permitted = self.enforce(request.action, request.facts)
        return permitted, self._noted

    def _holds(self, rule: str, condition: str, facts: Mapping[str, object]) -> bool:
        if not condition_test(condition)(facts):
            return False
        self._noted.append(rule)
        return True

    def _get_expression(self, expr: str, functions: object = None) -> object:
        """Return the matcher, parsed once in the life of the enforcer: it never changes."""
        if self._expression is None:
            self._expression = super()._get_expression(expr, functions)
        return self._expression


def _candidates(program: PolicyProgram, module: CasbinModule, request: EngineRequest) -> list[Sequence[str]]:
    index = program.index.get(request.action)
    if index is None:
        return list(module.lines.values())
    found = {rule for group in index.groups(request.facts) for rule in group}
    return [module.lines[rule] for rule in sorted(found)]


def _document(module: CasbinModule, permitted: bool, matched: Sequence[str]) -> dict[str, object]:
    """Return Casbin's answer in the shape of the Rego modules' decisions, to be held against the rules."""
    permits = [rule for rule in matched if module.lines[rule][3] == "allow"]
    denies = [rule for rule in matched if module.lines[rule][3] == "deny"]
    return {"effect": (Effect.PERMIT if permitted else Effect.DENY).value, "permits": permits, "denies": denies}


def _unreadable(action: str, module: CasbinModule) -> list[ProgramProblem]:
    problems = []
    for rule, (_, _, condition, _) in module.lines.items():
        try:
            condition_test(condition)
        except ValueError:
            problems.append(ProgramProblem(action, 0, f"Casbin cannot read the condition of the rule '{rule}'"))
    return problems
