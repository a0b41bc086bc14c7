"""The interface that every policy engine offers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from governance.engines.types import EngineRequest, EngineResult, PolicyProgram
from governance.kernel.ports import Port


class PolicyEngine(Protocol):
    """A policy decision point. Deny overrides, and what no rule permits is denied."""

    @property
    def name(self) -> str:
        """The engine's name in decision records, such as `rego`."""

    def evaluate(self, *, program: PolicyProgram, requests: Sequence[EngineRequest]) -> list[EngineResult]:
        """Answer every request, in order. Raises EngineUnavailable when any of them cannot be answered."""

    def check(self, *, program: PolicyProgram) -> None:
        """Refuse a program that this engine cannot run faithfully. Raises ProgramRejected."""


@runtime_checkable
class RemoteEngine(Protocol):
    """An engine that depends on another program, and can check whether that program answers."""

    def health(self, *, program: PolicyProgram) -> None:
        """Return when decisions by this program can be made now. Raises EngineUnavailable."""


policy_engine: Port[PolicyEngine] = Port("policy_engine")

#: Runs any program, not only the active one: for checks, replays, and decisions that are made once more.
offline_engine: Port[PolicyEngine] = Port("offline_engine")

#: How each engine is made, by its name in the settings.
engine_makers: Port[Mapping[str, Callable[[], PolicyEngine]]] = Port("engine_makers")


def build_engine(name: str) -> PolicyEngine:
    """Return a new engine by its name in the settings. Raises LookupError for an unknown name."""
    return engine_makers.get()[name]()
