"""The check of everything under `policies/`, and the cases in it."""

import shutil
from pathlib import Path

import pytest

from governance.engines.rego import RegoEngine
from governance.rulebook.cases import load_cases
from governance.rulebook.checks import check_policies
from governance.rulebook.errors import PolicyFileInvalid
from governance.rulebook.schema import current_schema
from governance.rulebook.yaml_files import POLICIES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(POLICIES, tmp_path / "policies"))


def problems(folder: Path) -> tuple[str, ...]:
    return check_policies(folder=folder, engine=RegoEngine()).problems


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_products_policies_are_sound() -> None:
    report = check_policies(folder=POLICIES, engine=RegoEngine())

    assert report.problems == ()
    assert report.rules >= 28
    assert report.cases >= 40


def test_a_rule_that_no_case_matches_is_named(folder: Path) -> None:
    append(
        folder / "rules" / "partner.yaml",
        """
  - id: block-mars
    effect: deny
    actions: ["*"]
    condition: {attr: subject.region, op: eq, value: MA}
    reason_code: region_blocked
    message: Not on Mars.
""",
    )

    assert problems(folder) == ("No case matches the rule 'block-mars'.",)


def test_a_failed_case_says_what_differs(folder: Path) -> None:
    replace(folder / "rules" / "release.yaml", "op: gte, value: 0.6", "op: gte, value: 0.95")

    assert problems(folder) == (
        (
            "release.yaml: an unsafe input: denies should be moderation-input-unsafe, not none; "
            "reasons should be moderation_input_unsafe, not no_rule_permits"
        ),
        "No case matches the rule 'moderation-input-unsafe'.",
    )


def test_a_case_with_incomplete_facts_says_which(folder: Path) -> None:
    replace(folder / "cases" / "base.yaml", "job: {cancel_requested: false}", "")

    assert "release.yaml: an unsafe input: job.cancel_requested is null" in problems(folder)


def test_an_invalid_rule_is_named(folder: Path) -> None:
    replace(folder / "rules" / "model.yaml", "attr: licence.state", "attr: licence.stat")

    [problem] = problems(folder)
    assert problem.startswith("Rule 'licence-expired': condition.attr: 'licence.stat' is not a known attribute.")


def test_a_program_that_the_engine_refuses_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("governance.engines.builtins.ALLOWED", frozenset())

    assert any(problem.startswith("asset.infer:") and "'count' is not on" in problem for problem in problems(folder))


@pytest.mark.parametrize(
    ("case", "problem"),
    [
        ("- {name: x, action: asset.infer}", "a case has a name, an action"),
        ("- x", "a case has a name, an action"),
        ("- {name: x, action: asset.infer, expect: {}}", "x: expect an effect"),
        ("- {name: x, action: asset.infer, expect: {effect: deny, denys: []}}", "x: expect an effect"),
        (
            "- {name: x, action: asset.infer, facts: {asset.creatr: a}, expect: {effect: deny}}",
            "x: asset.infer has no fact asset.creatr",
        ),
        ("- {name: x, action: asset.melt, expect: {effect: deny}}", "x: asset.melt has no fact action"),
    ],
)
def test_a_malformed_case_is_refused(folder: Path, case: str, problem: str) -> None:
    (folder / "cases" / "extra.yaml").write_text(f"cases:\n  {case}\n")

    with pytest.raises(PolicyFileInvalid, match=r"extra\.yaml") as invalid:
        load_cases(folder / "cases", current_schema())

    assert problem in invalid.value.message
    assert problems(folder) == (invalid.value.message,)


@pytest.mark.parametrize("text", ["cases: {}\n", "[]\n", "cases: []\nmore: 1\n"])
def test_a_file_that_is_no_list_of_cases_is_refused(folder: Path, text: str) -> None:
    (folder / "cases" / "extra.yaml").write_text(text)

    assert problems(folder) == ("extra.yaml must hold a list 'cases' and nothing else.",)


def test_the_requested_pair_follows_from_action_and_purpose_unless_a_case_sets_it(folder: Path) -> None:
    (folder / "cases" / "extra.yaml").write_text(
        """cases:
  - {name: a, action: asset.train, facts: {purpose: research}, expect: {effect: deny}}
  - {name: b, action: asset.train, facts: {consent.request: x}, expect: {effect: deny}}
"""
    )

    cases = [case for case in load_cases(folder / "cases", current_schema()) if case.file == "extra.yaml"]

    assert [case.facts["consent"]["request"] for case in cases] == ["asset.train:research", "x"]
