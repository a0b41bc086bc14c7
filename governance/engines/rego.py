"""The embedded Rego engine: regopy, in this process, with programs built ahead.

A decision costs only what its candidate rules cost: for those that the index finds, small programs are built when they
are first needed. An interpreter belongs to one thread; each thread keeps the programs that it used last. A module with
hand-written rules is run whole, and in another process (`rego_sandbox`).
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from governance.engines.builtins import check_module
from governance.engines.errors import EngineUnavailable, ProgramProblem, ProgramRejected
from governance.engines.rego_input import FactMissing, fact_tree, set_facts, slice_facts
from governance.engines.rego_programs import Shard, build_shard, shard_decision
from governance.engines.rego_sandbox import DEFAULT_BUDGET_MS, shared_sandbox
from governance.engines.rego_source import read_source
from governance.engines.results import (
    MatchedRules,
    matched_rules,
    missing_attribute,
    result_of,
    result_of_rules,
    unknown_action,
)
from governance.engines.rule_index import RuleIds
from governance.engines.types import EngineRequest, EngineResult, PolicyProgram

_CHECKED_TOGETHER = 100
_SIGHTINGS_KEPT = 1024
_SIGHTINGS_NEEDED = 2


class _ThreadShards(threading.local):
    """The shards that one thread has built, least recently used first: by revision, then by action and rules."""

    def __init__(self) -> None:
        self.by_revision: OrderedDict[str, OrderedDict[tuple[str, RuleIds | None], Shard]] = OrderedDict()
        self.sightings: OrderedDict[tuple[str, str, RuleIds], int] = OrderedDict()


class RegoEngine:
    """A `PolicyEngine` on regopy. Safe to share between threads."""

    name = "rego"

    def __init__(
        self, *, revisions_kept: int = 4, shards_kept: int = 256, custom_budget_ms: int = DEFAULT_BUDGET_MS
    ) -> None:
        """Keep in each thread at most `shards_kept` programs of each of `revisions_kept` revisions.

        A module with hand-written rules may take `custom_budget_ms` of processor time for a decision.
        """
        self._custom_budget_ms = custom_budget_ms
        self._revisions_kept = revisions_kept
        self._shards_kept = shards_kept
        self._threads = _ThreadShards()

    def evaluate(self, *, program: PolicyProgram, requests: Sequence[EngineRequest]) -> list[EngineResult]:
        """Answer every request, in order. Raises EngineUnavailable when any of them cannot be answered."""
        return [self._answer(program, request) for request in requests]

    def check(self, *, program: PolicyProgram) -> None:
        """Refuse modules that call what is not allowed, or that do not build. Raises ProgramRejected."""
        problems: list[ProgramProblem] = []
        for action in sorted(program.modules):
            try:
                if action in program.custom:
                    self._probe_custom(program, action)
                    continue
                for source in _checked_sources(program, action):
                    _probe(build_shard(action, source, source), program, action)
            except ProgramRejected as refused:
                problems += refused.problems
        if problems:
            raise ProgramRejected(problems)

    def _answer(self, program: PolicyProgram, request: EngineRequest) -> EngineResult:
        if request.action not in program.modules:
            return unknown_action(request.action)
        try:
            if request.action in program.custom:
                tree = fact_tree(read_source(program.modules[request.action]).facts)
                document = self._custom_decision(program, request.action, slice_facts(request.facts, tree))
                return result_of(document=document, program=program, request=request)
            matched = MatchedRules()
            for group in self._programs(program, request):
                shard = self._shard(program, request.action, group)
                set_facts(shard.interpreter, slice_facts(request.facts, shard.facts))
                matched = matched.joined(matched_rules(shard_decision(shard), program, request.action))
            return result_of_rules(matched=matched, program=program, request=request)
        except FactMissing as missing:
            return missing_attribute(missing.path)
        except Exception as error:
            self._threads.by_revision.pop(program.revision, None)
            if isinstance(error, EngineUnavailable):
                raise
            raise EngineUnavailable(f"The Rego engine could not decide {request.action}.") from error

    def _custom_decision(self, program: PolicyProgram, action: str, facts: Mapping[str, object]) -> object:
        """Return the decision of a module with hand-written rules. Raises PolicyOverBudget, EngineUnavailable."""
        source = program.modules[action]
        return shared_sandbox().decide(action=action, source=source, facts=facts, budget_ms=self._custom_budget_ms)

    def _probe_custom(self, program: PolicyProgram, action: str) -> None:
        """Evaluate the module once without facts, within its budget. Raises ProgramRejected."""
        try:
            document = self._custom_decision(program, action, {})
            result_of(document=document, program=program, request=EngineRequest(action, {}))
        except EngineUnavailable as error:
            raise ProgramRejected([ProgramProblem(action, 0, f"the module gives no decision: {error}")]) from error

    def _programs(self, program: PolicyProgram, request: EngineRequest) -> Sequence[RuleIds | None]:
        """Return the groups of rules to evaluate, one for each program; None stands for the action's whole module.

        Candidates that keep occurring together get one program. Others are evaluated in groups, whose programs serve
        many requests: building costs far more than evaluating.
        """
        index = program.index.get(request.action)
        if index is None:
            return (None,)
        groups = index.groups(request.facts)
        if len(groups) < 2:
            return groups
        together = tuple(sorted({rule for group in groups for rule in group}))
        return (together,) if self._recurs((program.revision, request.action, together)) else groups

    def _recurs(self, candidates: tuple[str, str, RuleIds]) -> bool:
        sightings = self._threads.sightings
        sightings[candidates] = sightings.get(candidates, 0) + 1
        sightings.move_to_end(candidates)
        if len(sightings) > _SIGHTINGS_KEPT:
            sightings.popitem(last=False)
        return sightings[candidates] > _SIGHTINGS_NEEDED

    def _shard(self, program: PolicyProgram, action: str, rules: RuleIds | None) -> Shard:
        revisions = self._threads.by_revision
        shards = revisions.setdefault(program.revision, OrderedDict())
        revisions.move_to_end(program.revision)
        if len(revisions) > self._revisions_kept:
            revisions.popitem(last=False)
        whole, key = program.modules[action], (action, rules)
        if key not in shards:
            source = whole if rules is None else program.parts[action].source_of(rules)
            shards[key] = build_shard(action, source, whole)
        shards.move_to_end(key)
        if len(shards) > self._shards_kept:
            shards.popitem(last=False)
        if shards[key].whole != whole:
            raise EngineUnavailable(f"Two different programs claim to be revision {program.revision}.")
        return shards[key]


def _checked_sources(program: PolicyProgram, action: str) -> list[str]:
    """Return the sources that must build for an action: the module, or, where rules run apart, a few of them each.

    Building takes time that grows faster than the module. Raises ProgramRejected for what is refused on reading.
    """
    whole, parts = program.modules[action], program.parts.get(action)
    if parts is None or action not in program.index or len(parts.ids) <= _CHECKED_TOGETHER:
        return [whole]
    problems = check_module(module=action, source=whole)  # here, where line numbers are those of the whole module
    if problems:
        raise ProgramRejected(problems)
    ids = parts.ids
    return [parts.source_of(ids[start : start + _CHECKED_TOGETHER]) for start in range(0, len(ids), _CHECKED_TOGETHER)]


def _probe(shard: Shard, program: PolicyProgram, action: str) -> None:
    """Evaluate the module once without facts: even then it must give a well-formed decision."""
    try:
        set_facts(shard.interpreter, {})
        result_of(document=shard_decision(shard), program=program, request=EngineRequest(action, {}))
    except Exception as error:
        raise ProgramRejected([ProgramProblem(action, 0, f"the module gives no decision: {error}")]) from error
