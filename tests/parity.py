"""Holds policy engines against one another, and against the language's reference, on random rules and requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from governance.engines.ports import PolicyEngine
from governance.engines.types import EngineRequest, PolicyProgram
from governance.rulebook.attributes import AttributeSchema
from governance.rulebook.content import build_content, program_of
from governance.rulebook.types import RuleSpec
from governance.rulebook.validation import checked
from tests.factories.rulebook_laws import facts, matched_by, opaque, rule_sets

ACTIONS = ("asset.infer", "asset.train", "model.invoke", "output.release")
REQUESTS = 4
INDEXED = ("rego", "casbin")  # asked twice: with all rules, and with those that can concern the request


@dataclass(frozen=True, slots=True)
class Example:
    """A rule set and requests about one of its actions."""

    action: str
    rules: tuple[RuleSpec, ...]
    requests: tuple[Mapping[str, Any], ...]
    program: PolicyProgram


def examples(schema: AttributeSchema) -> st.SearchStrategy[Example]:
    """Return any example; the program is the one that publishing these rules would make."""
    return opaque(st.one_of([_examples(schema, action) for action in ACTIONS]))


def _examples(schema: AttributeSchema, action: str) -> st.SearchStrategy[Example]:
    return st.builds(
        lambda rules, requests: example_of(schema, action, rules, requests),
        rule_sets(schema, action),
        st.lists(facts(schema, action), min_size=REQUESTS, max_size=REQUESTS),
    )


def example_of(
    schema: AttributeSchema, action: str, rules: Sequence[RuleSpec], requests: Sequence[Mapping[str, Any]]
) -> Example:
    """Return the example of these rules and requests, as publishing them would make it."""
    specs = [checked(rule, schema) for rule in rules]
    content = build_content(schema=schema, system=[], abac=specs)
    program = program_of(text=content.text, digest=content.digest)
    # The other actions have no rules: leave them out, to spend the time on the one that has.
    program = replace(program, modules={action: program.modules[action]})
    return Example(action, tuple(specs), tuple(requests), program)


def unindexed(program: PolicyProgram) -> PolicyProgram:
    """Return the program as an engine runs it that asks every rule of the action."""
    return replace(program, revision=f"{program.revision}-whole", index={}, parts={})


def disagreement(example: Example, engines: Sequence[PolicyEngine]) -> str | None:
    """Return which engine answers otherwise than the rules mean, and how; None when all agree."""
    requests = [EngineRequest(example.action, one) for one in example.requests]
    meant = [matched_by(example.rules, one) for one in example.requests]
    first: list[Any] | None = None
    for engine in engines:
        programs = [example.program, unindexed(example.program)] if engine.name in INDEXED else [example.program]
        for program in programs:
            answers = engine.evaluate(program=program, requests=requests)
            found = [(answer.matched_permits, answer.matched_denies) for answer in answers]
            if found != meant:
                return f"{engine.name} found {found}, the rules mean {meant}"
            if first is not None and answers != first:
                return f"{engine.name} answered {answers}, {engines[0].name} {first}"
            first = answers
    return None


def run(*, schema: AttributeSchema, engines: Sequence[PolicyEngine], count: int, start: int) -> int:
    """Try `count` examples from the seed `start` and return how many were tried; raises AssertionError for a mismatch.

    The error shows the smallest example on which the engines disagree.
    """
    tried = 0

    @seed(start)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(examples(schema))
    def hold(example: Example) -> None:
        nonlocal tried
        tried += 1
        problem = disagreement(example, engines)
        assert problem is None, problem

    hold()
    return tried
