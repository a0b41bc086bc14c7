"""Hand-written Rego: held to its contract, run by the Rego engines alike, refused by the others."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.engines.casbin import CasbinEngine
from governance.engines.errors import PolicyOverBudget, ProgramRejected
from governance.engines.opa import OpaEngine
from governance.engines.rego import RegoEngine
from governance.engines.types import Effect, EngineRequest, PolicyProgram
from governance.rulebook.content import build_content, program_of
from governance.rulebook.custom_contract import CustomModule, problems_of
from governance.rulebook.custom_rego import custom_modules, load_custom
from governance.rulebook.errors import PolicyFileInvalid, RuleInvalid
from governance.rulebook.rules import system_rules
from governance.rulebook.schema import current_schema
from scripts.stack.opa import EmbeddedOpa
from tests.factories import opa
from tests.factories.rulebook import permitted_facts
from tests.waiting import PATIENCE_SECONDS, wait_until

SOURCE = """\
# No inference on large works of one creator at night.
package assent.asset.infer

deny contains "night-watch" if {
	custom_night_watch_large
	startswith(input.asset.creator, "ada")
}

custom_night_watch_large if input.asset.width * input.asset.height > custom_night_watch_limit

custom_night_watch_limit := 1000000
"""
TEN = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"
LOOPS = "".join(f"\tsome {name} in {TEN}\n" for name in "abcdefghijk")
ENDLESS = f"""\
package assent.asset.infer

deny contains "night-watch" if {{
\tinput.asset.width > 0
{LOOPS}\ta + b + c + d + e + f + g + h + i + j + k == 1000
}}
"""
BUSY_TICKS = 10
MEANING = """\
rules:
  - id: night-watch
    effect: deny
    reason_code: night_watch
    message: "Works of {asset.creator} rest now."
"""


def written(folder: Path, source: str = SOURCE, meaning: str = MEANING) -> tuple[CustomModule, ...]:
    place = folder / "assent" / "asset" / "infer"
    place.mkdir(parents=True, exist_ok=True)
    (place / "night_watch.rego").write_text(source)
    (place / "night_watch.yaml").write_text(meaning)
    (place / "night_watch_test.rego").write_text("package assent.asset.infer_test\n")
    return load_custom(folder, current_schema())


def program(modules: tuple[CustomModule, ...], *, system=None) -> PolicyProgram:
    rules = system_rules() if system is None else system
    content = build_content(schema=current_schema(), system=rules, abac=[], custom=modules)
    return program_of(text=content.text, digest=content.digest)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedOpa]:
    home: Path = tmp_path_factory.mktemp("opa")
    with EmbeddedOpa(home, log=home / "opa.log") as server:
        yield server


@pytest.fixture(scope="module")
def url(server: EmbeddedOpa) -> str:
    return server.url


SMALL = EngineRequest("asset.infer", permitted_facts("asset.infer"))
LARGE = EngineRequest("asset.infer", permitted_facts("asset.infer", asset__width=4000, asset__height=3000))


def test_both_rego_engines_run_it(tmp_path, url):
    with_module = program(written(tmp_path))
    opa.push(url, with_module)
    embedded = RegoEngine()
    embedded.check(program=with_module)
    answers = embedded.evaluate(program=with_module, requests=[SMALL, LARGE])
    assert [answer.effect for answer in answers] == [Effect.PERMIT, Effect.DENY]
    assert answers[1].matched_denies == ("night-watch",)
    assert answers[1].reasons[0].message == "Works of ada rest now."
    assert (
        OpaEngine(url=url, timeout=PATIENCE_SECONDS).evaluate(program=with_module, requests=[SMALL, LARGE]) == answers
    )


def test_what_would_not_end_is_ended_by_both_engines(tmp_path, server):
    endless = program(written(tmp_path, ENDLESS))
    with pytest.raises(PolicyOverBudget):
        RegoEngine(custom_budget_ms=100).evaluate(program=endless, requests=[SMALL])

    opa.push(server.url, endless)
    engine = OpaEngine(url=server.url, timeout=PATIENCE_SECONDS, custom_budget_ms=250)
    with pytest.raises(PolicyOverBudget):
        engine.evaluate(program=endless, requests=[SMALL])

    wait_until(lambda: ticks_in_a_while(server) < BUSY_TICKS)
    other = EngineRequest("model.invoke", permitted_facts("model.invoke"))
    assert OpaEngine(url=server.url, timeout=PATIENCE_SECONDS).evaluate(program=endless, requests=[other])


def ticks_in_a_while(server: EmbeddedOpa) -> int:
    """Return the processor time, in hundredths of a second, that the server took in half a second."""
    before = ticks(server)
    time.sleep(0.5)
    return ticks(server) - before


def ticks(server: EmbeddedOpa) -> int:
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_checks_refuse_what_does_not_end(tmp_path):
    always = ENDLESS.replace("\tinput.asset.width > 0\n", "")
    with pytest.raises(ProgramRejected, match="needed more time"):
        RegoEngine(custom_budget_ms=100).check(program=program(written(tmp_path, always)))


def test_it_may_permit_where_no_compiled_rule_does(tmp_path):
    source = 'package assent.asset.infer\n\npermit contains "night-watch" if input.asset.width < 1000\n'
    modules = written(tmp_path, source, MEANING.replace("deny", "permit"))
    [answer] = RegoEngine().evaluate(program=program(modules, system=[]), requests=[SMALL])
    assert (answer.effect, answer.matched_permits) == (Effect.PERMIT, ("night-watch",))


def test_an_engine_that_cannot_run_custom_rego_refuses_the_revision(tmp_path):
    with_module = program(written(tmp_path))
    assert "asset.infer" not in with_module.index  # and so in no query for permitted sets
    with pytest.raises(ProgramRejected, match=r"asset.infer.*hand-written Rego"):
        CasbinEngine().check(program=with_module)


def test_without_a_module_a_revision_is_what_it_was():
    content = build_content(schema=current_schema(), system=system_rules(), abac=[])
    assert content == build_content(schema=current_schema(), system=system_rules(), abac=[], custom=())
    assert custom_modules() == ()


@pytest.mark.parametrize(
    ("line", "words", "addition"),
    [
        (13, "named custom_night_watch", 'effect := "permit"'),
        (13, "named custom_night_watch", "default effect := false"),
        (13, "named custom_night_watch", 'permit contains "night-watch" if true'),
        (13, "named custom_night_watch", 'deny contains "another" if true'),
        (13, "named custom_night_watch", "deny contains input.asset.id if true"),
        (13, "named custom_night_watch", "custom_other if true"),
        (13, "named custom_night_watch", "import rego.v1"),
        (14, "may not read 'deny'", "custom_night_watch_x if {\n\tcount(deny) == 0\n}"),
        (13, "may not read 'data'", "custom_night_watch_x if data.assent.model"),
        (13, "http.send", 'custom_night_watch_x if http.send({"url": "x"})'),
        (13, "'with'", "custom_night_watch_x if custom_night_watch_large with input as {}"),
    ],
)
def test_the_contract_is_held_line_by_line(tmp_path, line, words, addition):
    with pytest.raises(ProgramRejected) as refused:
        written(tmp_path, f"{SOURCE}\n{addition}\n")
    assert any(each.line == line and words in each.message for each in refused.value.problems), refused.value


@pytest.mark.parametrize("source", ["", "package assent\n", "package assent.model.invoke\n", "x := 1\n"])
def test_a_module_is_in_the_package_of_its_action(tmp_path, source):
    with pytest.raises(ProgramRejected, match="must begin with 'package assent"):
        written(tmp_path, source)


def test_a_rule_that_nothing_adds_is_named():
    module = CustomModule("m", "asset.infer", "package assent.asset.infer\n", {"lost": None})
    assert [str(problem) for problem in problems_of(module)] == ["m: nothing adds the rule 'lost'"]


@pytest.mark.parametrize(
    "meaning",
    [
        "rules: 7",
        "other: []",
        MEANING.replace("night_watch", "Night Watch"),
        MEANING.replace("asset.creator", "asset.nonsense"),
        MEANING.replace("deny", "maybe"),
        MEANING + "    condition: {}\n",
        MEANING + MEANING.partition("\n")[2],
    ],
)
def test_what_a_rule_means_is_checked(tmp_path, meaning):
    with pytest.raises((PolicyFileInvalid, RuleInvalid)):
        written(tmp_path, SOURCE, meaning)


def test_an_id_is_used_once_in_a_revision(tmp_path):
    module = written(tmp_path)
    with pytest.raises(RuleInvalid):
        build_content(schema=current_schema(), system=[], abac=[], custom=[*module, *module])
