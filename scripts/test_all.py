"""What `make test-all` runs: every test in its long form, parity on many examples, and every benchmark briefly."""

import os
import subprocess
import sys
from collections.abc import Sequence

from scripts.stack.places import ROOT
from scripts.stack.supervisor import ending_signals

PARITY_EXAMPLES = 2000
STEPS = (
    ("pytest", "-n", "auto"),
    ("scripts.parity", "--examples", str(PARITY_EXAMPLES)),
    ("benchmarks.decisions", "--seconds", "0.1"),
    ("benchmarks.ledger", "--seconds", "0.5", "--rounds", "1", "--entries", "2000"),
    ("benchmarks.hostile", "--short"),
    ("benchmarks.moderation", "--only", "data/c"),
    ("benchmarks.permitted", "--assets", "2000", "--creators", "100"),
)


def main(pytest_arguments: Sequence[str]) -> int:
    """Run all steps, whatever comes of each; the exit code is 0 when every one succeeded."""
    env = os.environ | {"ASSENT_TEST_EFFORT": "long"}
    failed = []
    with ending_signals():
        for module, *arguments in STEPS:
            more = pytest_arguments if module == "pytest" else ()
            print(f"== {module}", flush=True)
            if _run([sys.executable, "-m", module, *arguments, *more], env=env):
                failed.append(module)
    print(f"Failed: {', '.join(failed)}" if failed else "All of it succeeded.")
    return 1 if failed else 0


def _run(command: Sequence[str], *, env: dict[str, str]) -> int:
    with subprocess.Popen(command, cwd=ROOT, env=env) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
            raise


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
