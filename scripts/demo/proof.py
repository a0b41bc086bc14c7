"""The last step of the demo: what anybody can check with three files and no access to the system."""

import base64
import json
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from scripts.demo.answers import Verdict
from scripts.demo.client import PartnerApp, Unexpected
from scripts.demo.transcript import Transcript
from scripts.stack.places import ROOT, make_writable
from scripts.stack.stack import Stack

VERIFIER = ("-m", "governance.transparency.verifier")
VALID, INVALID = 0, 1
PROOF_SECONDS = 30.0
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Files:
    """What the partner keeps: the picture, its receipt, and the keys to check by."""

    output: Path
    receipt: Path
    trust: Path


@dataclass(frozen=True, slots=True)
class OfflineProof:
    """Saves the three files of a released job and checks them with the offline verifier, in a process of its own."""

    stack: Stack
    app: PartnerApp
    tell: Transcript

    def run(self, job_id: str) -> None:
        """Play the step. Raises Unexpected where the proof does not come."""
        self.tell.chapter(8, "Checked offline: the picture, its receipt, the public keys, and nothing else")
        files = self._save(job_id)
        self.tell.say("files", f"{_shown(files.output.parent)}: output.png, receipt.json, trust.json")
        self.tell.say("command", shlex.join(_to_type(files)))
        code, verdict = self._verify(files)
        for step in verdict["steps"]:
            self.tell.say(step["name"], f"{step['outcome']}: {step['detail']}")
        for sentence in verdict["established"]:
            self.tell.say("so", sentence)
        self.tell.expect("the verifier, with no access to anything, accepts it", code == VALID)
        self._alter(files)

    def _alter(self, files: Files) -> None:
        picture, receipt = files.output.read_bytes(), files.receipt.read_bytes()
        middle = len(picture) // 2
        self._expect_refused(
            "the picture", files, files.output, picture[:middle] + bytes([picture[middle] ^ 1]) + picture[middle + 1 :]
        )
        self._expect_refused("the statement", files, files.receipt, _with_another_outcome(receipt))

    def _expect_refused(self, what: str, files: Files, altered: Path, data: bytes) -> None:
        original = altered.read_bytes()
        altered.write_bytes(data)
        code, verdict = self._verify(files)
        altered.write_bytes(original)
        for step in verdict["steps"]:
            if step["outcome"] == "failed":
                self.tell.say(step["name"], step["detail"])
        self.tell.expect(f"with one bit of {what} changed it refuses", code == INVALID)

    def _save(self, job_id: str) -> Files:
        folder = make_writable(self.stack.data_dir / "proof")
        files = Files(folder / "output.png", folder / "receipt.json", folder / "trust.json")
        files.output.write_bytes(self.app.fetch(f"/jobs/{job_id}/output").content)
        files.receipt.write_bytes(self._receipt(job_id))
        self.stack.manage("keys", "export-trust", "--out", str(files.trust))
        return files

    def _receipt(self, job_id: str) -> bytes:
        """Return the receipt once it has the log's proof, which takes about two seconds."""
        deadline = time.monotonic() + PROOF_SECONDS
        while time.monotonic() < deadline:
            answer = self.app.fetch(f"/jobs/{job_id}/receipt")
            if answer.ok and answer.json()["proof"] is not None:
                return answer.content
            time.sleep(POLL_SECONDS)
        raise Unexpected(f"The receipt of job {job_id} had no proof after {PROOF_SECONDS:.0f} s: {answer.text[:300]}")

    def _verify(self, files: Files) -> tuple[int, Verdict]:
        """Run the verifier with no environment but the place of its code; return its exit code and verdict."""
        done = subprocess.run(
            [*_command(files, sys.executable), "--json"],
            cwd=files.output.parent,
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        if not done.stdout:
            raise Unexpected(f"The verifier printed nothing: {done.stderr[-500:]}")
        return done.returncode, json.loads(done.stdout)


def _command(files: Files, python: str) -> list[str]:
    return [python, *VERIFIER, files.receipt.name, "--artifact", files.output.name, "--trust", files.trust.name]


def _to_type(files: Files) -> list[str]:
    """Return the command as a person types it in the repository's root, where `python -m` finds the verifier."""
    receipt, output, trust = (str(_shown(path)) for path in (files.receipt, files.output, files.trust))
    return [".venv/bin/python", *VERIFIER, receipt, "--artifact", output, "--trust", trust]


def _with_another_outcome(receipt: bytes) -> bytes:
    """Return the receipt with one bit of the word `released` changed, in the statement that is signed."""
    document = json.loads(receipt)
    statement = base64.b64decode(document["envelope"]["payload"]).replace(b'"released"', b'"releasee"', 1)
    document["envelope"]["payload"] = base64.b64encode(statement).decode("ascii")
    return json.dumps(document).encode()


def _shown(path: Path) -> Path:
    return path.relative_to(ROOT)
