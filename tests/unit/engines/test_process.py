"""The embedded engine beside other native libraries, each order in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

ENGINE = "from governance.engines.rego import RegoEngine"
TORCH = "import torch"
DECIDE = """
from pathlib import Path
from governance.engines.types import EngineRequest, PolicyProgram

SOURCE = '''package assent.asset.infer

permit := set()

deny := {item | some item in input.names; startswith(item, "no-such")}

decision := {"effect": "deny", "permits": permit, "denies": deny}
'''
program = PolicyProgram("r", {"asset.infer": SOURCE}, {})
request = EngineRequest("asset.infer", {"names": [f"a-name-that-takes-some-memory-{n}" for n in range(50)]})
engine = RegoEngine()

def megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

engine.evaluate(program=program, requests=[request] * 200)
before = megabytes()
engine.evaluate(program=program, requests=[request] * 1000)
print(megabytes() - before)
"""


@pytest.mark.parametrize(
    "parts",
    [(ENGINE, DECIDE), (ENGINE, TORCH, DECIDE), (TORCH, ENGINE, DECIDE), (ENGINE, DECIDE, TORCH)],
    ids=["alone", "before torch", "after torch", "torch last"],
)
def test_decisions_leak_no_memory_and_torch_loads_in_the_same_process(parts: tuple[str, ...]) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", "\n".join(parts)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr
    assert float(finished.stdout) < 2
