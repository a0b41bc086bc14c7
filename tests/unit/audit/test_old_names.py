"""The names that the verifier and the witness had until version 0.1 work until 1.0, and say what to use instead."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("program", ["verifier", "witness"])
def test_old_name_runs_the_program_and_points_to_the_new_one(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"governance.audit.{program}", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0
    assert f"python -m governance.transparency.{program}" in done.stdout
    assert f"Use 'python -m governance.transparency.{program}'" in done.stderr
