"""Errors of the policy engines."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from governance.kernel.errors import InvalidInput, Unavailable
from governance.kernel.reason_codes import ReasonCode


class EngineUnavailable(Unavailable):
    """The engine gave no answer that can be relied on. Callers deny."""

    code = ReasonCode.ENGINE_UNAVAILABLE.value
    title = "The policy engine gave no answer"


class EngineDisagreement(EngineUnavailable):
    """Two engines answered differently, so neither is relied on. Callers deny. `details` say which, and on what."""

    code = ReasonCode.ENGINE_DISAGREEMENT.value
    title = "Two policy engines disagree"


class PolicyOverBudget(EngineUnavailable):
    """A hand-written module needed more time or memory than it may take. Callers deny."""

    code = ReasonCode.POLICY_BUDGET_EXCEEDED.value
    title = "A hand-written rule needed more time or memory than it may take"


class ObligationsUnmatched(InvalidInput):
    """The obligations that are declared, and those that workers have handlers for, are not the same."""

    code = "obligations_unmatched"


@dataclass(frozen=True, slots=True)
class ProgramProblem:
    """One thing that is wrong with a policy module. `line` counts from 1; 0 means the module as a whole."""

    module: str
    line: int
    message: str

    def __str__(self) -> str:
        place = f"{self.module}:{self.line}" if self.line else self.module
        return f"{place}: {self.message}"


class ProgramRejected(InvalidInput):
    """A policy program may not be used. `problems` says where and why."""

    code = "program_rejected"
    title = "The policy program was refused"

    def __init__(self, problems: Sequence[ProgramProblem]) -> None:
        super().__init__(
            "The policy program was refused: " + "; ".join(str(problem) for problem in problems),
            details={"problems": [asdict(problem) for problem in problems]},
        )
        self.problems = tuple(problems)
