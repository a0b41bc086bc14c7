"""`manage.py policy`, as people in front of a terminal use it."""

import io
import json
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from governance.audit.types import Actor
from governance.rulebook.activation import publish_without_review
from governance.rulebook.models import PolicyDraft
from governance.rulebook.rules import rule_json
from tests.factories.rulebook import BLOCK_REGION, AbacRuleFactory, permitted_facts

SEED = Actor("system", "seed")
pytestmark = pytest.mark.django_db


def policy(*arguments: str) -> str:
    out = io.StringIO()
    call_command("policy", *arguments, stdout=out)
    return out.getvalue()


def test_the_files_are_sound_on_their_own_and_as_a_revision() -> None:
    assert "Sound:" in policy("check")
    publish_without_review(actor=SEED)
    assert "Sound:" in policy("check", "active")


def test_every_case_is_shown_with_its_result() -> None:
    lines = policy("test", "--engine", "rego", "--engine", "casbin").splitlines()
    assert {line.split()[0] for line in lines} == {"rego", "casbin"}
    assert {line.split()[1] for line in lines} == {"ok"}
    AbacRuleFactory(condition={"attr": "subject.status", "op": "eq", "value": "active"})
    with pytest.raises(CommandError, match="cases failed"):
        policy("test", "now")
    with pytest.raises(CommandError, match="no engine 'guess'"):
        policy("test", "--engine", "guess")


def test_rules_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    assert policy("compile", "--action", "asset.infer").count("package assent.asset.infer") == 1
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(rule_json(BLOCK_REGION))))
    assert "input.subject.region" in policy("compile", "-")
    with pytest.raises(CommandError, match="No rule is about"):
        policy("compile", "--action", "asset.frame")


def test_two_revisions_are_compared() -> None:
    publish_without_review(actor=SEED)
    assert "Nothing differs." in policy("diff", "active")
    AbacRuleFactory(slug="block-region")
    shown = policy("diff", "1", "--rego")
    assert "added: block-region (abac)" in shown
    assert "module asset.infer" in shown
    assert json.loads(policy("diff", "1", "now", "--json"))["rules"][0]["kind"] == "added"
    with pytest.raises(CommandError, match="no single policy revision"):
        policy("diff", "77")


def test_a_revision_goes_out_and_comes_back_as_a_draft(tmp_path: Path) -> None:
    get_user_model().objects.create_user(username="author")
    rule = AbacRuleFactory(slug="block-region")
    first = publish_without_review(actor=SEED)
    file = tmp_path / "revision.json"
    assert json.loads(policy("export", "--output", str(file)))["digest"] == first.digest
    assert policy("export", "1").strip().encode() == file.read_bytes()
    rule.delete()
    publish_without_review(actor=SEED)

    taken = json.loads(policy("import", str(file), "--user", "author"))

    assert (taken["digest"], PolicyDraft.objects.get().digest) == (first.digest, first.digest)
    with pytest.raises(CommandError, match="no active console user"):
        policy("import", str(file), "--user", "nobody")
    with pytest.raises(CommandError, match="No such file"):
        policy("import", str(tmp_path / "none"), "--user", "author")


def test_a_question_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    AbacRuleFactory(slug="block-region")
    publish_without_review(actor=SEED)
    question = {"action": "asset.infer", "facts": permitted_facts("asset.infer", subject__region="FR")}
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(question)))
    shown = policy("explain")
    assert shown.startswith("deny (asset.infer)\n  Nothing is done for partners in FR. (region_blocked)")
    assert "matched      deny   block-region" in shown
    assert "not matched  deny" in shown
    monkeypatch.setattr("sys.stdin", io.StringIO('{"action": "asset.infer", "facts": {}}'))
    with pytest.raises(CommandError):
        policy("explain")
