"""What `make run` reads from the environment."""

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


def test_an_engine_that_there_is_not_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE", "cedar")
    with pytest.raises(StackError, match="ENGINE must be one of rego, opa, casbin"):
        run.engine()
