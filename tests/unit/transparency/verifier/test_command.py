"""The verifier as those use it who rely on it: a process of its own, without Django and without a network."""

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from governance.transparency.verifier import __main__ as command
from governance.transparency.verifier.reading import MAX_DOCUMENT_BYTES
from tests.factories.receipts import ARTIFACT, Files

ROOT = Path(__file__).resolve().parents[4]
#: Runs the verifier where no socket can be made, nothing can be written or started, and Django cannot be imported.
BARE = """
import runpy, sys

FORBIDDEN = ("django", "rest_framework", "celery", "psycopg", "redis", "boto3", "requests", "urllib3", "ssl", "socket")

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in FORBIDDEN:
            raise ImportError(f"{name} is not there")

def watch(event, arguments):
    if event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "shutil.")):
        raise RuntimeError(f"{event} is not allowed")
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        raise RuntimeError(f"writing to {arguments[0]} is not allowed")

for name in FORBIDDEN:
    assert name not in sys.modules, name
sys.dont_write_bytecode = True
sys.meta_path.insert(0, Nothing())
sys.addaudithook(watch)
runpy.run_module("governance.transparency.verifier", run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., list[str]]:
    """Write the three files and return the command line that judges them; None leaves the artifact away."""

    def written(**changed: Any) -> list[str]:
        known = Files(**changed)
        (tmp_path / "receipt.json").write_bytes(known.receipt_bytes)
        (tmp_path / "trust.json").write_bytes(known.trust_bytes)
        (tmp_path / "artifact.png").write_bytes(known.artifact or b"")
        artifact = [] if known.artifact is None else ["--artifact", str(tmp_path / "artifact.png")]
        return [str(tmp_path / "receipt.json"), "--trust", str(tmp_path / "trust.json"), *artifact]

    return written


def bare(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.defpath, "PYTHONIOENCODING": "ascii"}
    return subprocess.run(
        [sys.executable, "-c", BARE, *arguments], capture_output=True, text=True, env=environment, check=False
    )


def test_a_valid_receipt_is_shown_without_network_and_without_django(files: Callable[..., list[str]]) -> None:
    done = bare(files())

    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:9]] == [
        "receipt", "trust", "artifact", "signature", "key", "entry", "inclusion", "checkpoint", "witnesses",
    ]  # fmt: skip
    assert {line.split()[1] for line in lines[:9]} == {"ok"}
    assert lines[10] == "VALID"
    assert "byte for byte" in done.stdout


def test_a_changed_byte_is_invalid(files: Callable[..., list[str]]) -> None:
    done = bare(files(artifact=ARTIFACT + b"!"))

    assert (done.returncode, done.stderr) == (1, "")
    assert "artifact    FAILED  The file has SHA-256" in done.stdout
    assert "INVALID: do not rely on this receipt.\n  artifact: The file has" in done.stdout


def test_a_receipt_without_a_proof_is_unusable(files: Callable[..., list[str]]) -> None:
    done = bare(files(receipt=Files().receipt | {"proof": None}))

    assert (done.returncode, done.stderr) == (2, "")
    assert "UNUSABLE: nothing was shown, neither for nor against.\n  The receipt is signed, but its" in done.stdout


def test_a_reviewer_has_these_files_to_read() -> None:
    """docs/receipts.md names them; more must not creep in unnoticed."""
    lists = "import sys, governance.transparency.verifier.__main__; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", lists], capture_output=True, text=True, cwd=ROOT, check=True)

    loaded = done.stdout.split()
    ours = {name.removeprefix("governance.") for name in loaded if name.startswith("governance.")}
    assert ours - {"transparency", "keys", "kernel", "transparency.verifier"} == {
        *(
            f"transparency.verifier.{name}"
            for name in ("__main__", "checks", "reading", "receipt", "report", "trust", "verdict")
        ),
        *("transparency.merkle", "transparency.notes", "transparency.proofs"),
        *("keys.dsse", "keys.pairs", "keys.ring"),
        *(
            f"kernel.{name}"
            for name in ("canonical", "clock", "errors", "json_reading", "parsing", "ports", "strict_base64")
        ),
    }
    assert not {"django", "socket", "ssl", "http", "urllib.request", "subprocess"} & set(loaded)


def test_a_forbidden_socket_is_noticed() -> None:
    """Should the ban not work, the tests above would show nothing."""
    done = subprocess.run(
        [sys.executable, "-c", BARE.replace("runpy.run_module", "__import__('_socket').socket() or runpy.run_module")],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
        check=False,
    )

    assert "socket.__new__ is not allowed" in done.stderr


def test_json_says_the_same(files: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    code = command.main([*files(), "--json"])

    report = json.loads(capsys.readouterr().out)
    assert (code, report["status"], len(report["steps"])) == (0, "valid", 9)
    assert report["steps"][2] == {
        "name": "artifact",
        "outcome": "ok",
        "detail": report["steps"][2]["detail"],
    }
    assert len(report["established"]) == 5


@pytest.mark.parametrize(
    ("missing", "step"), [("receipt.json", "receipt"), ("trust.json", "trust"), ("artifact.png", "artifact")]
)
def test_a_file_that_cannot_be_read_is_unusable(
    files: Callable[..., list[str]], capsys: pytest.CaptureFixture[str], tmp_path: Path, missing: str, step: str
) -> None:
    arguments = files()
    (tmp_path / missing).unlink()

    assert command.main([*arguments, "--json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in report["steps"] if each["outcome"] == "failed"] == [step]
    assert len(report["steps"]) == 9
    assert "No such file" in str(report)


def test_a_directory_is_unusable(files: Callable[..., list[str]], tmp_path: Path) -> None:
    assert command.main([str(tmp_path), *files()[1:]]) == 2


def test_too_long_input_is_unusable(
    files: Callable[..., list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = files()
    (tmp_path / "receipt.json").write_bytes(b" " * (MAX_DOCUMENT_BYTES + 100))

    assert command.main(arguments) == 2
    assert "more than 1048576 bytes" in capsys.readouterr().out


def test_too_long_an_artifact_is_unusable(
    files: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "MAX_ARTIFACT_BYTES", 10)

    assert command.main(files()) == 2
    assert "it has more than 10 bytes" in capsys.readouterr().out


def test_an_artifact_is_optional(files: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(files(artifact=None)) == 0
    assert "artifact    -       No artifact was given." in capsys.readouterr().out


def test_a_receipt_cannot_write_on_the_terminal(
    files: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    receipt = Files().receipt
    receipt["format"] = "\x1b[2Jassent\u202e"

    assert command.main(files(receipt=receipt)) == 2
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_a_pending_proof_is_reported(files: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(files(receipt=Files().receipt | {"proof": None})) == 2
    assert "its proof is still to come" in capsys.readouterr().out


def test_the_exit_code_is_that_of_the_process(files: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["verifier", *files(artifact=b"another")])

    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(command.__file__), run_name="__main__")

    assert ended.value.code == 1


def test_without_a_trust_file_nothing_is_judged(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["receipt.json"])

    assert ended.value.code == 2
    assert "--trust" in capsys.readouterr().err
