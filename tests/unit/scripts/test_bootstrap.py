"""The set-up script: readable by an old Python, which it sends away with one sentence, and quick when all is there."""

import ast
from pathlib import Path

import pytest

from scripts import bootstrap
from scripts.bootstrap import BootstrapError

SOURCE = Path(bootstrap.__file__).read_text(encoding="utf-8")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with requirement files and a `.venv` that pretends to be whole."""
    for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        (tmp_path / name).write_text(f"{name}\n")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch()
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "VENV_PYTHON", tmp_path / ".venv" / "bin" / "python")
    return tmp_path


def test_an_old_python_can_read_the_script() -> None:
    ast.parse(SOURCE, feature_version=(3, 6))


def test_an_old_python_gets_an_explanation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 8, 18, "final", 0))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BootstrapError, match=r"needs Python 3\.11 or newer, but .* is 3\.8\.18: install"):
        bootstrap.require_python()


def test_an_old_python_hands_over_to_a_newer_one_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = tmp_path / "python3.12"
    newer.write_text("#!/bin/sh\nexit 0\n")
    newer.chmod(0o755)
    handed: list[list[str]] = []
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 8, 18, "final", 0))
    monkeypatch.setattr(bootstrap.sys, "argv", ["bootstrap.py", "--dev"])
    monkeypatch.setattr(bootstrap.os, "execv", lambda path, arguments: handed.append([path, *arguments]))
    monkeypatch.setenv("PATH", str(tmp_path))
    bootstrap.require_python()
    assert handed == [[str(newer), str(newer), "bootstrap.py", "--dev"]]


def test_nothing_is_installed_while_the_stamp_holds(checkout: Path) -> None:
    bootstrap.stamp_path("dev").write_text(bootstrap.fingerprint("dev"))
    assert bootstrap.is_current("dev")
    assert not bootstrap.is_current("runtime")


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "constraints.txt"])
def test_a_changed_requirement_file_breaks_the_stamp(checkout: Path, name: str) -> None:
    bootstrap.stamp_path("dev").write_text(bootstrap.fingerprint("dev"))
    (checkout / name).write_text("changed\n")
    assert not bootstrap.is_current("dev")


def test_a_venv_without_its_python_is_not_current(checkout: Path) -> None:
    bootstrap.stamp_path("runtime").write_text(bootstrap.fingerprint("runtime"))
    (checkout / ".venv" / "bin" / "python").unlink()
    assert not bootstrap.is_current("runtime")


def test_a_pip_that_fails_is_quoted_in_one_sentence(checkout: Path) -> None:
    pip = checkout / ".venv" / "bin" / "python"
    pip.write_text("#!/bin/sh\necho 'Looking'\necho 'ERROR: No matching distribution found for torch'\nexit 1\n")
    pip.chmod(0o755)
    with pytest.raises(BootstrapError, match=r"could not install requirements\.txt \(ERROR: No matching .* torch\)"):
        bootstrap.install("runtime")


def test_a_checkout_that_cannot_be_written_is_named(checkout: Path) -> None:
    (checkout / "var").touch()
    with pytest.raises(BootstrapError, match=r"Cannot write to .*var \(.+\): make the checkout writable"):
        bootstrap.held_lock()
