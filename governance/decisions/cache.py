"""A cache of answers, whose keys hold everything that an answer follows from.

An answer follows from the revision, the rules that can concern the request, and the facts that these rules read or
quote. All of that is in the key, and facts are gathered anew for every decision: a withdrawn consent, an expired
licence or a new token is another key. The time of a request is in the key wherever such a rule reads it, and nowhere
else. The consent epochs are in it too, so that no answer outlives a withdrawal, even if facts were read wrongly.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import TypeAlias

from governance.engines.errors import EngineUnavailable
from governance.engines.ports import PolicyEngine
from governance.engines.rego_input import FactMissing
from governance.engines.types import EngineRequest, EngineResult, PolicyProgram

Key: TypeAlias = tuple[str, str, str]


class DecisionCache:
    """At most `entries` answers, the least recently used dropped first; 0 keeps none. Safe to share between threads."""

    def __init__(self, *, entries: int) -> None:
        self._entries = entries
        self._kept: OrderedDict[Key, EngineResult] = OrderedDict()
        self._lock = threading.Lock()
        self.hits = 0

    def evaluate(
        self,
        *,
        engine: PolicyEngine,
        program: PolicyProgram,
        requests: Sequence[EngineRequest],
        consent_epochs: Mapping[str, int],
    ) -> list[EngineResult]:
        """Answer every request, in order; those not kept by asking `engine`, in one batch. Raises EngineUnavailable."""
        keys = [self._key(engine, program, request, consent_epochs) for request in requests]
        answers = self._found(keys)
        open_places = [place for place, answer in enumerate(answers) if answer is None]
        fresh = engine.evaluate(program=program, requests=[requests[p] for p in open_places]) if open_places else []
        if len(fresh) != len(open_places):
            raise EngineUnavailable(f"The engine answered {len(fresh)} of {len(open_places)} questions.")
        for place, answer in zip(open_places, fresh, strict=True):
            answers[place] = answer
        self._keep((keys[place], answer) for place, answer in zip(open_places, fresh, strict=True))
        return [answer for answer in answers if answer is not None]

    def _key(
        self, engine: PolicyEngine, program: PolicyProgram, request: EngineRequest, epochs: Mapping[str, int]
    ) -> Key | None:
        """Return what the answer follows from; None for what is not kept."""
        index = program.index.get(request.action)
        if not self._entries or index is None:
            return None
        try:
            rules = sorted({rule for group in index.groups(request.facts) for rule in group})
            paths = sorted({path for rule in rules for path in index.reads[rule]})
            read = [_fact(request.facts, path) for path in paths]
            text = json.dumps([request.action, rules, read, sorted(epochs.items())], ensure_ascii=False)
            return program.revision, engine.name, sha256(text.encode()).hexdigest()
        except (FactMissing, TypeError, ValueError):
            return None  # the engine says what is wrong with these facts

    def _found(self, keys: Iterable[Key | None]) -> list[EngineResult | None]:
        found: list[EngineResult | None] = []
        with self._lock:
            for key in keys:
                answer = self._kept.get(key) if key is not None else None
                if key is not None and answer is not None:
                    self._kept.move_to_end(key)
                    self.hits += 1
                found.append(answer)
        return found

    def _keep(self, answers: Iterable[tuple[Key | None, EngineResult]]) -> None:
        with self._lock:
            for key, answer in answers:
                if key is not None:
                    self._kept[key] = answer
            while len(self._kept) > self._entries:
                self._kept.popitem(last=False)


def _fact(facts: Mapping[str, object], path: str) -> object:
    value: object = facts
    for segment in path.split("."):
        if not isinstance(value, Mapping) or segment not in value:
            raise FactMissing(path)
        value = value[segment]
    return value
