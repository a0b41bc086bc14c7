"""What `make run` reads from the environment."""

import json
import subprocess
from types import SimpleNamespace

import pytest

from scripts import run
from scripts.stack.errors import StackError


def test_a_number_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9000")
    assert run.number("PORT", 8000) == 9000


@pytest.mark.parametrize("raw", ["x", "0", "-1", "8000.5", "٨"])
def test_what_is_no_number_is_named(monkeypatch: pytest.MonkeyPatch, raw: str) -> None:
    monkeypatch.setenv("PORT", raw)
    with pytest.raises(StackError, match="PORT must be a whole number"):
        run.number("PORT", 8000)


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    assert run.number("PORT", 8000) == 8000


def test_the_engine_becomes_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE", "opa")
    assert run.engine() == {"ASSENT_POLICY_ENGINE": "opa"}
    monkeypatch.setenv("ENGINE", "")
    assert run.engine() == {}


def test_an_unknown_engine_is_refused_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE", "cedar")
    with pytest.raises(StackError, match="ENGINE must be one of rego, opa, casbin"):
        run.engine()


def test_the_welcome_gives_what_the_walk_begins_with(tmp_path) -> None:
    (tmp_path / "data").mkdir()
    access = {"console_username": "admin", "console_password": "pw", "client_id": "app", "client_secret": "hush"}
    (tmp_path / "data" / "access.json").write_text(json.dumps(access))
    said = run.welcome(SimpleNamespace(web_url="http://127.0.0.1:8000", data_dir=tmp_path, logs=tmp_path / "logs"))
    assert "admin / pw" in said
    assert "CLIENT='app:hush' API=http://127.0.0.1:8000/api/v1\n" in said


def test_a_shell_becomes_part_of_the_stack_while_it_runs(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "SHELL_ENV", tmp_path / "env")
    value = """{"name": "it's $HOME"}"""
    with run.shell_env(SimpleNamespace(settings={"ASSENT_WITNESSES": value})):
        assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600
        shell = ["sh", "-c", 'set -a; . "$0"; printenv ASSENT_WITNESSES', str(tmp_path / "env")]
        assert subprocess.run(shell, capture_output=True, text=True, check=True).stdout == value + "\n"
    assert not (tmp_path / "env").exists()
