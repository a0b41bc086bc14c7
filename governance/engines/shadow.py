"""Two engines that must agree: an answer counts only when both give it."""

import logging
from collections.abc import Sequence

from governance.engines.errors import EngineDisagreement
from governance.engines.ports import PolicyEngine, RemoteEngine
from governance.engines.types import EngineRequest, EngineResult, PolicyProgram

logger = logging.getLogger(__name__)


class ShadowedEngine:
    """A `PolicyEngine` whose every decision is checked by a second one."""

    def __init__(self, *, first: PolicyEngine, second: PolicyEngine) -> None:
        """Answer with `first`, under its name; `second` gets the same requests."""
        self._first = first
        self._second = second

    @property
    def name(self) -> str:
        """The name of the engine whose answers are given."""
        return self._first.name

    def evaluate(self, *, program: PolicyProgram, requests: Sequence[EngineRequest]) -> list[EngineResult]:
        """Answer every request, in order.

        Raises EngineDisagreement when the two do not agree on one, EngineUnavailable when either gives no answer.
        """
        answers = self._first.evaluate(program=program, requests=requests)
        others = self._second.evaluate(program=program, requests=requests)
        differing = sorted(
            {request.action for request, one, other in zip(requests, answers, others, strict=True) if one != other}
        )
        if differing:
            actions = ", ".join(differing)
            logger.error(
                "the engines %s and %s disagree on %s under revision %s",
                self._first.name,
                self._second.name,
                actions,
                program.revision,
            )
            raise EngineDisagreement(
                f"The engines {self._first.name} and {self._second.name} disagree on {actions}.",
                details={
                    "engines": [self._first.name, self._second.name],
                    "actions": differing,
                    "revision": program.revision,
                },
            )
        return answers

    def check(self, *, program: PolicyProgram) -> None:
        """Refuse a program that either engine cannot run faithfully. Raises ProgramRejected."""
        self._first.check(program=program)
        self._second.check(program=program)

    def health(self, *, program: PolicyProgram) -> None:
        """Return when both can decide by this program now. Raises EngineUnavailable."""
        for engine in (self._first, self._second):
            if isinstance(engine, RemoteEngine):
                engine.health(program=program)
