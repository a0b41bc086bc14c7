"""`manage.py check_policies`."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from governance.engines.ports import policy_engine
from governance.engines.rego import RegoEngine
from governance.operations.management.commands import check_policies


def test_sound_policies_are_counted() -> None:
    out = StringIO()

    with policy_engine.override(RegoEngine()):
        call_command("check_policies", stdout=out)

    assert out.getvalue().startswith("Policies are sound: ")
    assert out.getvalue().endswith("engines rego, casbin.\n")


def test_every_problem_is_reported_and_the_command_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_policies, "POLICIES", tmp_path)

    with policy_engine.override(RegoEngine()), pytest.raises(CommandError, match=r"schema\.yaml cannot be read"):
        call_command("check_policies")
