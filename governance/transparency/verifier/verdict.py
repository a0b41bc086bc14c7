"""What a verification found: every step with its outcome, and what follows from all of them."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """The outcome of one step. A skipped step was not performed, so nothing is known of it."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


class Status(StrEnum):
    """The result of a verification. `unusable`: the input shows nothing, neither for nor against the receipt."""

    VALID = "valid"
    INVALID = "invalid"
    UNUSABLE = "unusable"


#: Exit codes of the command.
EXIT_CODES = {Status.VALID: 0, Status.INVALID: 1, Status.UNUSABLE: 2}


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, how it went, and a sentence that says why."""

    name: str
    outcome: Outcome
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """All steps in order, the status, and in plain words what was established (nothing unless the status is valid)."""

    status: Status
    steps: tuple[Step, ...]
    established: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """The exit code of the command: 0 valid, 1 invalid, 2 unusable."""
        return EXIT_CODES[self.status]

    @property
    def failed(self) -> Step | None:
        """The step that failed; none when the status is valid, or when a proof is still to come."""
        return next((step for step in self.steps if step.outcome is Outcome.FAILED), None)
