"""Hand-written modules that would not end, and the process that ends them."""

import os
import time
from collections.abc import Iterator

import pytest

from governance.engines import rego_sandbox
from governance.engines.errors import EngineUnavailable, PolicyOverBudget, ProgramRejected
from governance.engines.rego_sandbox import RegoSandbox, clock_seconds

BUDGET_MS = 150
FORTY = "[" + ", ".join(map(str, range(40))) + "]"
ANSWER = '\ndecision := {"denies": [], "effect": "deny", "permits": []}\n'
#: Each is far beyond any budget, and made of nothing but what modules may call.
ENDLESS = {
    "a comprehension over five lists": (
        f"x := count([1 | some a in {FORTY}; some b in {FORTY}; some c in {FORTY}; some d in {FORTY};"
        f" some e in {FORTY}; a + b + c + d == e * 1000])"
    ),
    "a string that doubles": (
        'x0 := "aaaaaaaaaaaaaaaa"\n'
        + "".join(f'x{at + 1} := replace(x{at}, "a", x0)\n' for at in range(12))
        + "x := count(x12)"
    ),
    "an array that doubles": (
        "x0 := [1, 2, 3, 4]\n"
        + "".join(f"x{at + 1} := array.concat(x{at}, x{at})\n" for at in range(40))
        + "x := count(x40)"
    ),
    "functions that call each other twice": (
        "f0(n) := n + 1\n" + "".join(f"f{at + 1}(n) := f{at}(n) + f{at}(n + 1)\n" for at in range(30)) + "x := f30(1)"
    ),
    "a list of facts with itself": (
        "x := count([1 | some a in input.l; some b in input.l; some c in input.l; a + b == c])"
    ),
}


def module(text: str) -> str:
    """Return a module whose decision needs `x`."""
    return f"package assent.asset.infer\n\n{text}\n{ANSWER.replace('[]', '[x]', 1)}"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RegoSandbox]:
    sandbox = RegoSandbox()
    yield sandbox
    sandbox.close()


def decide(sandbox: RegoSandbox, source: str, **facts: object) -> object:
    return sandbox.decide(action="asset.infer", source=source, facts=facts, budget_ms=BUDGET_MS)


@pytest.mark.parametrize("name", list(ENDLESS))
def test_what_would_not_end_is_ended(sandbox: RegoSandbox, name: str) -> None:
    begun = time.monotonic()

    with pytest.raises(PolicyOverBudget, match="than it may take"):
        decide(sandbox, module(ENDLESS[name]), l=list(range(2000)))

    assert time.monotonic() - begun < clock_seconds(BUDGET_MS) + rego_sandbox.START_SECONDS


def test_after_an_ended_module_others_go_on(sandbox: RegoSandbox) -> None:
    with pytest.raises(PolicyOverBudget):
        decide(sandbox, module(ENDLESS["a string that doubles"]))

    assert decide(sandbox, module("x := input.who"), who="ada") == {"denies": ["ada"], "effect": "deny", "permits": []}


@pytest.mark.parametrize(
    "value", ["", "a\0b", 'say "x"\n', "ü–\u2028", 2**53 - 1, -7, 0.1, 1e-7, True, None, [1, "a"], {"b": [None]}]
)
def test_facts_arrive_as_they_are(sandbox: RegoSandbox, value: object) -> None:
    answer = decide(sandbox, module("x := input.value == input.other"), value=value, other=value)

    assert answer == {"denies": [True], "effect": "deny", "permits": []}


@pytest.mark.parametrize("value", [float("nan"), 2**80, "\ud800", object()])
def test_a_fact_that_cannot_be_passed_on_is_no_answer(sandbox: RegoSandbox, value: object) -> None:
    with pytest.raises(EngineUnavailable):
        decide(sandbox, module("x := input.value"), value=value)


def test_a_module_that_does_not_build_is_refused(sandbox: RegoSandbox) -> None:
    with pytest.raises(ProgramRejected, match=r"asset\.infer"):
        decide(sandbox, "package assent.asset.infer\n\nx :=\n")


def test_a_child_that_is_killed_is_replaced(sandbox: RegoSandbox) -> None:
    decide(sandbox, module("x := 1"))
    [child, *_] = sandbox._idle
    child.process.kill()
    child.process.wait()

    with pytest.raises(EngineUnavailable):
        decide(sandbox, module("x := 1"))

    assert decide(sandbox, module("x := 1")) == {"denies": [1], "effect": "deny", "permits": []}


def test_a_child_knows_nothing_of_our_environment(sandbox: RegoSandbox) -> None:
    decide(sandbox, module("x := 1"))
    with open(f"/proc/{sandbox._idle[0].process.pid}/environ", "rb") as environment:
        names = {entry.partition(b"=")[0] for entry in environment.read().split(b"\0") if entry}

    assert names == {b"PYTHONPATH"}


def test_a_child_of_the_parent_is_not_used_after_a_fork(sandbox: RegoSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    forked = RegoSandbox()
    decide(forked, module("x := 1"))
    child = forked._idle[0]
    monkeypatch.setattr(forked, "_owner", os.getpid() - 1)

    assert decide(forked, module("x := 2")) == {"denies": [2], "effect": "deny", "permits": []}

    assert forked._idle[0] is not child
    forked.close()
    child.end()


def test_a_module_more_than_a_child_keeps_begins_with_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rego_sandbox, "MODULES_KEPT", 2)
    small = RegoSandbox()
    decide(small, module("x := 1"))
    decide(small, module("x := 2"))

    assert small._idle == []
    small.close()
