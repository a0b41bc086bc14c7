"""The list of allowed functions."""

import pytest
from regopy import Interpreter

from governance.engines.builtins import ALLOWED, check_module


def problems(expression: str) -> list[str]:
    source = f'package assent.asset.infer\n\ndeny contains "x" if {{\n\t{expression}\n}}\n'
    return [str(problem) for problem in check_module(module="asset.infer", source=source)]


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_the_engine_has_every_allowed_function(name: str) -> None:
    assert Interpreter().is_builtin(name)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ('http.send({"url": "x"})', "it reaches the network"),
        ("opa.runtime().env", "it reveals the process environment"),
        ('net.lookup_ip_addr("x")', "it reaches the network"),
        ('trace("x")', "it writes to the log"),
        ('print("x")', "it writes to the log"),
        ('rand.intn("x", 2)', "its answer changes from call to call"),
        ('uuid.rfc4122("x")', "its answer changes from call to call"),
        ("time.now_ns() > 0", "use the attribute request.time"),
        ("providers.aws.sign_req(1, 2, 3)", "it handles credentials"),
        ("regex.match(1, 2)", "is not on the list of allowed functions"),
        ("no_such_function(1)", "is not on the list of allowed functions"),
        ('http["send"]({})', "a function may be called only by its plain name"),
    ],
)
def test_refuses_what_is_not_on_the_list_with_module_and_line(call: str, why: str) -> None:
    [problem] = problems(call)

    assert problem.startswith("asset.infer:4: ")
    assert why in problem


def test_accepts_allowed_and_own_functions() -> None:
    source = 'package t\n\ntwice(x) := x * 2\n\ndeny contains "x" if count(input.a) > twice(2)\n'

    assert check_module(module="m", source=source) == []


@pytest.mark.parametrize("name", ["count", "trace", "http.send"])
def test_a_module_cannot_take_the_name_of_a_builtin_function(name: str) -> None:
    found = check_module(module="m", source=f"package t\n\n{name}(x) := true\n\ny if {name}(1)\n")

    assert any(problem.line == 0 and "is taken by" in problem.message for problem in found)


def test_a_redefined_danger_stays_refused() -> None:
    found = check_module(module="m", source="package t\n\ntrace(x) := true\n\ny if trace(1)\n")

    assert [str(problem) for problem in found] == [
        "m: the function name 'trace' is taken by, or looks like, a built-in one",
        "m:5: 'trace' is not allowed: it writes to the log",
    ]


def test_refusals_of_the_reader_are_problems_too() -> None:
    assert problems("true with input as {}") == [
        "asset.infer:4: 'with' could swap a function for another and is refused"
    ]
