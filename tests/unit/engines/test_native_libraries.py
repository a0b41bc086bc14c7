"""The engines live in one process with other native libraries, whichever comes first."""

import subprocess
import sys

import pytest

from scripts.stack.places import ROOT


@pytest.mark.parametrize("first", ["import governance.engines.rego, torch", "import torch, governance.engines.rego"])
def test_the_rego_engine_and_torch_share_a_process(first: str) -> None:
    done = subprocess.run([sys.executable, "-c", first], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
