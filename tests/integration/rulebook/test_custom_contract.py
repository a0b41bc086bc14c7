"""Hand-written modules that try to do more than add their own permits and denies, and harmless ones that look odd."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.engines import rego_tree
from governance.engines.builtins import check_module
from governance.engines.errors import ProgramRejected
from governance.engines.rego_tree import MAX_BYTES, MAX_NESTING, ModuleUnreadable, read_tree
from governance.engines.types import Effect, Obligation, RuleMeta
from governance.rulebook.content import build_content, program_of, refuse_custom
from governance.rulebook.custom_contract import CustomModule, problems_of, tree_of
from governance.rulebook.custom_rego import refuse_problems
from governance.rulebook.diff import compare
from governance.rulebook.schema import current_schema
from tests.effort import examples

PACKAGE = "package assent.asset.infer\n"
GOOD = """\
package assent.asset.infer

deny contains "night-watch" if {
	custom_night_watch_large
	startswith(input.asset.creator, "ada")
}

custom_night_watch_large if input.asset.width > 1000

custom_night_watch_limit := 3
"""
RULES = {
    "night-watch": RuleMeta(Effect.DENY, "night_watch", "No."),
    "day-pass": RuleMeta(Effect.PERMIT, "day_pass", "Yes."),
}
#: Each gives another meaning to what the compiler wrote, or reads what it may not.
HOSTILE = [
    "when_token_dataset_1 if { true }",
    "when_token_dataset_1 := true",
    "when_token_dataset_1 = true",
    "when_token_dataset_1 contains 1",
    "when_token_dataset_1[x] := 1 if some x in [1]",
    "when_token_dataset_1.y := 1",
    "when_token_dataset_1(x) := x",
    "when_token_dataset_1",
    'when_token_dataset_1["a"]["b"] if true',
    "default when_token_dataset_1 := true",
    "default when_token_dataset_1(_) := true",
    'effect := "permit"',
    'effect = "permit" if { true }',
    'default effect := "permit"',
    'decision := {"effect": "permit", "permits": ["night-watch"], "denies": []}',
    'decision.effect := "permit"',
    "deny := set()",
    'deny["night-watch"] if true',
    'deny["night-watch"]',
    "deny contains x if { some x in input.asset.tags }",
    'deny contains "no-such-rule" if true',
    'deny.x contains "night-watch" if true',
    'permit contains "night-watch" if true',
    'permit contains concat("", ["night", "-watch"]) if true',
    "permit := {1}",
    'permit["day-pass"] := true',
    "custom_other_x if true",
    "custom_nightwatch if true",
    "helper if true",
    "input if true",
    "data := 1",
    "custom_night_watch_x if count(deny) == 0",
    "custom_night_watch_x if { not deny }",
    "custom_night_watch_x if effect",
    "custom_night_watch_x if when_token_dataset_1",
    "custom_night_watch_x if custom_other_y",
    "custom_night_watch_x if data.assent.model.invoke.permit",
    'custom_night_watch_x if data["assent"]',
    "custom_night_watch_x if { some x; data[x] }",
    "custom_night_watch_x if { d := data; d }",
    "custom_night_watch_x if { every p in permit { p } }",
    "custom_night_watch_x := [p | some p in permit]",
    "custom_night_watch_x := {p: 1 | some p in deny}",
    "custom_night_watch_x[deny]",
    "custom_night_watch_x(deny) := 1",
    "custom_night_watch_x := 1 if { true } else := 2 if { deny }",
    "custom_night_watch_x if { true } with input as {}",
    "custom_night_watch_x if count([1]) == 2 with count as 3",
    "custom_night_watch_x if { some input in [1]; input }",
    "custom_night_watch_x(input) := 1",
    "custom_night_watch_x if { custom_night_watch_limit := 9; custom_night_watch_limit > 1 }",
    'custom_night_watch_x if http.send({"url": "x"})',
    'custom_night_watch_x if http["send"]({"url": "x"})',
    "custom_night_watch_x if opa.runtime().env",
    "custom_night_watch_x if numbers.range(0, 1000000000)",
    "custom_night_watch_x if walk(input, [_, _])",
    'custom_night_watch_x if regex.match("(a+)+$", "aaaa")',
    "custom_night_watch_x if time.now_ns() > 0",
    "custom_night_watch_x if internal.print([1])",
    'custom_night_watch_x if print("x")',
    "custom_night_watch_x if data.system.f(1)",
    'custom_night_watch_x := $"{deny}"',
    "custom_night_watch_x if { every a in [1] { every b in [2] { a < b } } }",
    "import data.assent.model as custom_night_watch_m",
    "import input.asset as custom_night_watch_a",
    "import rego.v1",
    "import future.keywords",
    "package assent.asset.infer",
]
#: What a definition may hide behind: all of it is on one line, or ends a rule.
PLACES = [
    "{good}\n{hostile}\n",
    "{good}\ncustom_night_watch_p if {{ true }} {hostile}\n",
    "{good}\ncustom_night_watch_p if {{\n\ttrue\n}} {hostile}\n",
    "{good}\ncustom_night_watch_p := [1,\n2] {hostile}\n",
    "{good}\n# a comment\n\t{hostile}\n",
    "{good}\n{hostile} # custom_night_watch_p if true\n",
    "{good}\ncustom_night_watch_p := `raw` {hostile}\n",
    "{good}\n# METADATA\n# title: harmless\n{hostile}\n",
]


def module(source: str, name: str = "night_watch") -> CustomModule:
    rules = {rule: meta for rule, meta in RULES.items() if f'"{rule}"' in GOOD}
    return CustomModule(name, "asset.infer", source, rules)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_definition_is_refused(hostile: str) -> None:
    assert problems_of(module(f"{GOOD}\n{hostile}\n"))


@given(hostile=st.sampled_from(HOSTILE), place=st.sampled_from(PLACES))
@settings(max_examples=examples(15))
def test_a_hostile_definition_is_refused_wherever_it_stands(hostile: str, place: str) -> None:
    assert problems_of(module(place.format(good=GOOD, hostile=hostile)))


@given(words=st.lists(st.sampled_from([*'"`{}[]()#;,.:= \n\r\t\x0b\u2028\ufeff', "if", "else", *HOSTILE]), max_size=12))
@settings(max_examples=examples(15))
def test_what_passes_defines_nothing_of_the_system(words: list[str]) -> None:
    source = f"{GOOD}\n{''.join(words)}\n"

    passed = not problems_of(module(source))

    names = {each.name for each in tree_of(source).definitions} if passed else set()
    assert all(name == "deny" or name.startswith("custom_night_watch") for name in names)


@pytest.mark.parametrize("ending", ["\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_a_line_ending_that_only_some_readers_know_is_refused(ending: str) -> None:
    assert problems_of(module(f"{GOOD}# comment{ending}when_token_dataset_1 := true\n"))
    assert problems_of(module(GOOD.replace("\n", ending)))


@pytest.mark.parametrize(
    "source",
    [
        "package assent.asset.infer; permit contains 1 if true\n",
        f'# a comment\u2028{PACKAGE}deny contains "night-watch" if true\n',
        f'\ufeff{PACKAGE}deny contains "night-watch" if true\n',
        f'{PACKAGE}{PACKAGE}deny contains "night-watch" if true\n',
        'package assent["asset"].infer\ndeny contains "night-watch" if true\n',
        'package assent.asset.infer.deeper\ndeny contains "night-watch" if true\n',
        f'`\n{PACKAGE}`\ndeny contains "night-watch" if true\n',
        f'{PACKAGE}deny contains "night-watch" if "\\u0061" == "a"\n',
        f"{PACKAGE}deny contains `night-watch` if true\npermit contains 1 if true",
        f'{PACKAGE}deny contains "night-watch" if {{ x := `\npermit contains "day-pass" if true\n` }}\n',
        f'{PACKAGE}dеny contains "night-watch" if true\n',  # noqa: RUF001 - a Cyrillic letter
        f"{PACKAGE}deny contains {'(' * 40}1{')' * 40} if true\n",
        f"{GOOD}\ncustom_night_watch_x := {'[' * 200}{']' * 200}\n",
        f"{GOOD}\n# {'x' * MAX_BYTES}\n",
        f"{GOOD}\ncustom_night_watch_x if {{\n\t{{1}} == {{1}}\n\t-1 < 0\n}}\n",
        f"{GOOD}\ncustom_night_watch_x if inptu.asset.width > 3\n",
        f"{GOOD}\ncustom_night_watch_x if {{ some v in [1]; some v in [2] }}\n",
        f"{GOOD}\ncustom_night_watch_x if custom_night_watch_y\ncustom_night_watch_y if custom_night_watch_x\n",
        f"{GOOD}\ncustom_night_watch_x := 1\ncustom_night_watch_x contains 2\n",
        f"{GOOD}\ncustom_night_watch_x if startswith(1, 2)\n",
        f"{GOOD}\ncustom_night_watch_x if {{\n\tinput.asset.width\n\t== 3\n}}\n",
    ],
)
def test_a_module_that_readers_might_take_differently_is_refused(source: str) -> None:
    assert problems_of(module(source))


@pytest.mark.parametrize(
    "source",
    [
        GOOD,
        GOOD.replace("\t", "    "),
        f"# METADATA\n# scope: package\n# title: Nights\n{GOOD}",
        GOOD.replace("deny contains", "# METADATA\n# title: when_token_dataset_1 := true\ndeny contains"),
        f'{GOOD}\n# }} when_token_dataset_1 if {{ true }}\ncustom_night_watch_x := "}} effect := 1"\n',
        f"{GOOD}\ncustom_night_watch_f(x) := y if {{ some y in x; not y == 3 }} else := 4\n",
        f"{GOOD}\ncustom_night_watch_f(x) := x + 1\ncustom_night_watch_x if custom_night_watch_f(1) == 2\n",
        f"{GOOD}\ncustom_night_watch_x contains t if {{ some t in input.asset.tags; t in {{1, 2}} }}\n",
        f"{GOOD}\ncustom_night_watch_x[t] := n if some n, t in input.asset.tags\n",
        f"{GOOD}\ncustom_night_watch_x if {{ every t in input.asset.tags {{ startswith(t, `a`) }} }}\n",
        f"{GOOD}\ncustom_night_watch_x if {{ y := custom_night_watch_limit; y = 3 }}\n",
        f"{GOOD}\ncustom_night_watch_x := object.get(input, `purpose`, null)\n",
        f"{GOOD}\ncustom_night_watch_x := {{k: [v | v := w] | some k, w in input.asset}}\n",
        f"{GOOD}\ncustom_night_watch_x := [\n\t-1,\n\t-2,\n]\n",
        f"{GOOD}\ncustom_night_watch_x if {{ true }} custom_night_watch_y if {{ true }}\n",
    ],
)
def test_a_harmless_module_may_be_used_and_keeps_its_meaning(source: str) -> None:
    assert problems_of(module(source)) == []
    content = build_content(schema=current_schema(), system=[], abac=[], custom=[module(source)])
    assert "night-watch" in program_of(text=content.text, digest=content.digest).rules
    refuse_custom(text=content.text, digest=content.digest)
    joined = program_of(text=content.text, digest=content.digest).modules["asset.infer"]
    assert check_module(module="joined", source=joined) == []


def test_a_change_of_what_a_custom_rule_means_is_shown() -> None:
    source = f'{PACKAGE}permit contains "day-pass" if input.asset.width < 10\n'
    demanding = RuleMeta(Effect.PERMIT, "day_pass", "Yes.", (Obligation("embed_provenance"),))
    before, after = (
        build_content(
            schema=current_schema(),
            system=[],
            abac=[],
            custom=[CustomModule("day", "asset.infer", source, {"day-pass": meta})],
        )
        for meta in (demanding, RULES["day-pass"])
    )

    [change] = compare(before=(before.text, before.digest), after=(after.text, after.digest)).modules

    assert change.action == "asset.infer, what the rules of day mean"
    assert any("embed_provenance" in line and line.startswith("-") for line in change.lines)


def test_two_modules_do_not_share_a_helper() -> None:
    owner = module(f"{GOOD}\ncustom_night_watch_more if true\n")
    shared = f"{PACKAGE}custom_night_watch_more if true\n"
    with pytest.raises(ProgramRejected, match="the module night_watch has a helper 'custom_night_watch_more' too"):
        refuse_problems([owner, CustomModule("night", "asset.infer", shared, {})])


def test_a_module_is_refused_where_there_is_no_parser(monkeypatch: pytest.MonkeyPatch, settings: object) -> None:
    monkeypatch.setattr(settings, "ASSENT_OPA", "/nowhere/opa")

    [problem] = problems_of(module(GOOD))

    assert "run `make opa`" in problem.message


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("sleep 20", "longer than 1 s"),
        ("while true; do :; done", "longer than 1 s"),
        ("yes '{' | head -c 100000000", "cannot read it within"),
        ("echo nothing", "cannot be read"),
        ("echo '{}'", "cannot be read"),
        ("exit 3", "cannot read it within"),
    ],
)
def test_a_parser_that_does_not_answer_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, sentence: str
) -> None:
    monkeypatch.setattr(rego_tree, "SECONDS", 1)
    parser = tmp_path / "opa"
    parser.write_text(f"#!/bin/sh\n{script}\n")
    parser.chmod(0o755)

    with pytest.raises(ModuleUnreadable, match=sentence):
        read_tree(GOOD, str(parser))


@pytest.mark.parametrize("bracket", ["[", "{", "("])
def test_the_deepest_nesting_is_parsed_in_time(bracket: str) -> None:
    closing = {"[": "]", "{": "}", "(": ")"}[bracket]
    source = f"{PACKAGE}custom_night_watch_x := {bracket * MAX_NESTING}1{closing * MAX_NESTING}\n"

    assert len(tree_of(source).definitions) == 1
