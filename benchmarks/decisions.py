"""How long one decision takes, by the number of rules in force, on every engine, in one run.

Each set of rules has one permit, and denials about creators, models, partners and regions. Four of them concern a
request whatever the number of rules: only the rules that do not concern it grow. Nothing is cached but programs.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import requests
from casbin import Enforcer
from opa_client.opa import OpaClient

from governance.engines.casbin import CasbinEngine
from governance.engines.conditions import condition_test
from governance.engines.opa import OpaEngine
from governance.engines.opa_modules import opa_modules
from governance.engines.ports import PolicyEngine
from governance.engines.rego import RegoEngine
from governance.engines.types import EngineRequest, PolicyProgram, package_of
from governance.rulebook.cases import BASE, facts_from
from governance.rulebook.content import build_content, program_of
from governance.rulebook.rules import parse_rule
from governance.rulebook.schema import current_schema
from governance.rulebook.types import RuleSpec
from governance.rulebook.yaml_files import POLICIES, read_yaml
from scripts.stack.opa import EmbeddedOpa

SIZES = (10, 100, 1_000, 10_000)
ACTION = "asset.infer"
SUBJECTS = ("asset.creator", "model.slug", "subject.partner", "subject.region", "asset.creator")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
REQUESTS = 20
DECISIONS = 2_000
SECONDS_PER_FIGURE = 4.0


def rules(count: int) -> list[RuleSpec]:
    """Return `count` rules about one action."""
    permit = {"attr": "purpose", "op": "in", "value": ["commercial", "research"]}
    return [
        _rule("permit", "open", permit),
        *(_rule("deny", f"deny-{number}", _condition(number)) for number in range(count - 1)),
    ]


def _rule(effect: str, rule_id: str, condition: dict[str, object]) -> RuleSpec:
    data = {"id": rule_id, "effect": effect, "actions": [ACTION], "condition": condition}
    return parse_rule(data | {"reason_code": "because", "message": "Because."}, current_schema())


def _condition(number: int) -> dict[str, object]:
    attr = SUBJECTS[number % len(SUBJECTS)]
    also = {"attr": "asset.width", "op": "gt", "value": 10_000 if number % 2 else 100}
    return {"all": [{"attr": attr, "op": "eq", "value": _value(attr, number)}, also]}


def _value(attr: str, number: int) -> str:
    if attr == "subject.region":
        return LETTERS[number // 5 // 26 % 26] + LETTERS[number // 5 % 26]
    return f"subject-{number}"


def asked() -> list[EngineRequest]:
    """Return requests that each meet one rule about their creator, model, partner and region."""
    base = read_yaml(POLICIES / "cases" / BASE)
    found = []
    for number in range(REQUESTS):
        creator = (0, 4, 5)[number % 3]
        changes = {attr: _value(attr, index) for index, attr in enumerate(SUBJECTS[:4])}
        changes |= {"asset.creator": _value("asset.creator", creator), "asset.width": 640 + number}
        found.append(EngineRequest(ACTION, facts_from(base, action=ACTION, changes=changes, schema=current_schema())))
    return found


def timed(
    decide: Callable[[EngineRequest], object], questions: Sequence[EngineRequest], seconds: float
) -> tuple[float, float]:
    """Return the median and the 99th percentile of one decision in microseconds."""
    end = time.monotonic() + seconds
    for question in islice(cycle(questions), 3 * len(questions)):
        decide(question)
        if time.monotonic() > end:
            break
    samples: list[float] = []
    for question in islice(cycle(questions), DECISIONS):
        begun = time.perf_counter_ns()
        decide(question)
        samples.append((time.perf_counter_ns() - begun) / 1000)
        if time.monotonic() > end and len(samples) > REQUESTS:
            break
    return statistics.median(samples), statistics.quantiles(samples, n=100)[98]


def through(engine: PolicyEngine, program: PolicyProgram) -> Callable[[EngineRequest], object]:
    """Return one decision through an engine of ours."""
    return lambda question: engine.evaluate(program=program, requests=[question])


def plain_client(port: int) -> Callable[[EngineRequest], object]:
    """Return one decision as opa-python-client makes it by itself, on the same rules in the same server."""
    client = OpaClient(host="127.0.0.1", port=port)
    path = package_of(ACTION).replace(".", "/")
    return lambda question: client.query_rule(question.facts, path, "decision")


def plain_casbin(program: PolicyProgram) -> Callable[[EngineRequest], object]:
    """Return one decision as pycasbin's Enforcer makes it by itself, with every policy line loaded."""
    module = program.casbin[ACTION]
    enforcer = Enforcer(Enforcer.new_model(text=module.model))
    enforcer.add_function("holds", lambda rule, condition, facts: condition_test(condition)(facts))
    enforcer.model["p"]["p"].policy = [list(line) for line in module.lines.values()]
    return lambda question: enforcer.enforce(question.action, question.facts)


@contextmanager
def opa_server() -> Iterator[int]:
    """Run an OPA server of our own and yield its port."""
    with TemporaryDirectory() as name:
        directory = Path(name)
        with EmbeddedOpa(directory, log=directory / "opa.log", log_level="error") as server:
            yield server.port


def measured(count: int, port: int, *, seconds: float) -> dict[str, float]:
    """Return the figures for a number of rules."""
    content = build_content(schema=current_schema(), system=[], abac=rules(count))
    program = program_of(text=content.text, digest=content.digest)
    for path, source in opa_modules(program).items():
        requests.put(
            f"http://127.0.0.1:{port}/v1/policies/{path}", data=source.encode(), timeout=300
        ).raise_for_status()
    questions = asked()
    opa = OpaEngine(url=f"http://127.0.0.1:{port}", timeout=30)
    rego, rego_p99 = timed(through(RegoEngine(), program), questions, seconds)
    figures = {
        "rego_p50_us": rego,
        "rego_p99_us": rego_p99,
        "casbin_p50_us": timed(through(CasbinEngine(), program), questions, seconds)[0],
        "opa_p50_us": timed(through(opa, program), questions, seconds)[0],
        "opa_client_p50_us": timed(plain_client(port), questions, seconds)[0],
        "pycasbin_p50_us": timed(plain_casbin(program), questions, seconds)[0],
    }
    return {name: round(figure, 1) for name, figure in figures.items()}


def main() -> int:
    """Run as a script; the last line is the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS_PER_FIGURE, help="how long each figure takes")
    seconds = parser.parse_args().seconds
    table: dict[str, dict[str, float]] = {}
    with opa_server() as port:
        for count in SIZES:
            table[str(count)] = figures = measured(count, port, seconds=seconds)
            print(f"{count:>6} rules  " + "  ".join(f"{name} {figure:,.0f}" for name, figure in figures.items()))
            sys.stdout.flush()
    small, large = table[str(SIZES[0])], table[str(SIZES[-1])]
    result = {
        "bench": "decisions",
        "rules": table,
        "opa_client_over_rego_1000": round(table["1000"]["opa_client_p50_us"] / table["1000"]["rego_p50_us"], 2),
        "rego_growth_10_to_10000": round(large["rego_p50_us"] / small["rego_p50_us"], 2),
    }
    print(f"Casbin engine, growth from 10 to 10,000 rules: {large['casbin_p50_us'] / small['casbin_p50_us']:.2f}")
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
