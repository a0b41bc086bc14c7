"""The reader of Rego source: which calls and facts it finds, and what it refuses to have understood."""

import pytest

from governance.engines.rego_source import is_canonical_string, read_source

MODULE = """package t

import rego.v1

# count(ignored) is only a comment, and so is http.send({})
f(x) := y if {
	y := count(x)
}

deny contains "a(b)" if {
	not (input.a.b == "x(y)")
	some item in input.list
	item in {"q", `raw(z)`}
	f(input.c) > 1
	"x" in input["quoted"]
}
"""


def names(source: str) -> list[str]:
    return [call.name for call in read_source(source).calls]


def test_finds_calls_own_functions_and_facts() -> None:
    report = read_source(MODULE)

    assert [(call.name, call.line) for call in report.calls] == [("count", 7), ("f", 14)]
    assert report.defined == {"f"}
    assert report.facts == {("a", "b"), ("list",), ("c",), ()}
    assert report.refusals == ()


@pytest.mark.parametrize(
    "spelling",
    [
        "opa.runtime()",
        "opa . runtime ()",
        "opa.runtime\n()",
        "opa# a comment\n.runtime()",
        "opa.\n\truntime( )",
    ],
)
def test_a_call_is_found_however_it_is_spaced(spelling: str) -> None:
    assert names(f"package t\n\nx := y if {{\n\ty := {spelling}\n}}\n") == ["opa.runtime"]


@pytest.mark.parametrize("spelling", ['opa["runtime"]()', 'opa["x"].runtime()', '"opa"()', "1()", "f(1)(2)", "{1}(2)"])
def test_a_call_through_anything_but_a_plain_name_has_no_name(spelling: str) -> None:
    assert "" in names(f"package t\n\nx := y if {{\n\ty := {spelling}\n}}\n")


@pytest.mark.parametrize("before", ["if", "not", "in", ":=", "==", ",", "[", "some"])
def test_a_parenthesis_after_a_keyword_or_sign_only_groups(before: str) -> None:
    assert names(f"package t\n\nx if {{ y {before} (1) }}\n") == []


def test_a_keyword_after_a_dot_is_a_name() -> None:
    assert names("package t\n\nx if { data.in(1) }\n") == ["data.in"]


def test_a_parenthesis_can_open_a_module() -> None:
    assert names("(x)") == []


@pytest.mark.parametrize(
    ("source", "defined"),
    [
        ("f(x) := x", {"f"}),
        ("package t\n\ndefault f(_) := 1\n", {"f"}),
        ("package t\n\nx := [1]\nf(y) := y\n", {"f"}),
        ('package t\n\nx := "a"\nf(y) := y\n', {"f"}),
        ("package t\n\nx := true\nf(y) := y\n", {"f"}),
        ("package t\n\nx := 1 if f(2)\n", set()),
        ("package t\n\nx := 1 if\nf(2)\n", set()),
        ("package t\n\nx :=\nf(2)\n", set()),
        ("package t\n\nx contains\nf(2)\n", set()),
        ("package t\n\nx if {\nf(2)\n}\n", set()),
    ],
)
def test_only_a_call_that_begins_a_statement_defines_a_function(source: str, defined: set[str]) -> None:
    assert read_source(source).defined == defined


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ('x := $"a{opa.runtime()}"', "'$' is not allowed"),
        ('x := "open', "is not allowed"),
        ("x := `open", "is not allowed"),
        ("x := é", "is not allowed"),
        ("x := 1 with input as 2", "'with' could swap"),
        ("import data.other", "only 'import rego.v1'"),
        ("import future.keywords", "only 'import rego.v1'"),
        ('x := "\\u0041"', "shortest escapes"),
        ('x := "\\/"', "shortest escapes"),
        ('x := "\\q"', "shortest escapes"),
        ("x := `a\\b`", "raw string"),
        ('x := `a"b`', "raw string"),
        ("x := 1\r", "control characters"),
        ("# \x00", "control characters"),
    ],
)
def test_what_engines_would_read_differently_is_refused_with_its_line(line: str, part: str) -> None:
    refusals = read_source(f"package t\n\n{line}\n").refusals

    assert refusals
    assert {number for number, _ in refusals} == {3}
    assert part in refusals[0][1]


def test_with_and_import_after_a_dot_are_names() -> None:
    assert read_source("package t\n\nx := input.with.import\n").refusals == ()


@pytest.mark.parametrize(
    ("literal", "expected"),
    [('"a"', True), ('"é😀"', True), ('"a\\n\\"\\\\"', True), ('"\\u00e9"', False), ('"\\/"', False), ('"\\x"', False)],
)
def test_canonical_strings(literal: str, expected: bool) -> None:
    assert is_canonical_string(literal) is expected


def test_input_in_a_local_path_is_no_fact() -> None:
    assert read_source("package t\n\nx := y.input.z\n").facts == frozenset()
