"""`make demo`: start everything, play the scenario, stop everything, and print one JSON line last."""

import json
import sys
import time
from pathlib import Path

from scripts.demo.client import PartnerApp, Unexpected
from scripts.demo.proof import OfflineProof
from scripts.demo.scenario import Scenario
from scripts.demo.transcript import Transcript
from scripts.stack.errors import StackError
from scripts.stack.places import ROOT, fresh_directory
from scripts.stack.stack import Stack

RUNS_KEPT = 3
SETTINGS = {"ASSENT_LEASE_SECONDS": "5", "ASSENT_SWEEP_SECONDS": "1", "ASSENT_REDISPATCH_SECONDS": "5"}


def play() -> bool:
    """Run the demo and return whether every expectation held."""
    begun = time.monotonic()
    data_dir = fresh_directory(ROOT / "var" / "demo", keep=RUNS_KEPT)
    print(
        f"Starting PostgreSQL, Valkey, witness, web server, workers and scheduler under {_shown(data_dir)} …",
        flush=True,
    )
    tell = Transcript()
    with Stack(data_dir, env=SETTINGS, seed=("seed_demo",)) as stack:
        setup_seconds = time.monotonic() - begun
        access = json.loads((data_dir / "data" / "access.json").read_text(encoding="utf-8"))
        app = PartnerApp(stack.web_url, access["client_id"], access["client_secret"])
        scenario = Scenario(stack, app, tell, access["console_username"])
        scenario.run()
        OfflineProof(stack, app, tell).run(scenario.first_job)
        summary = scenario.summary()
        scenario_seconds = time.monotonic() - begun - setup_seconds
        stack.check()
    times = {"setup_seconds": round(setup_seconds, 1), "scenario_seconds": round(scenario_seconds, 1)}
    print(f"\nAll processes have stopped. What was written is under {_shown(data_dir)}.")
    for failure in tell.failures:
        print(f"FAILED: {failure}")
    print(json.dumps({"ok": not tell.failures, **summary, **times}), flush=True)
    return not tell.failures


def _shown(directory: Path) -> Path:
    return directory.relative_to(ROOT)


def main() -> int:
    """Run as a script; exit code 0 only if everything was as expected."""
    try:
        return 0 if play() else 1
    except (StackError, Unexpected) as error:
        print(f"The demo stopped: {error}", file=sys.stderr)
        print(json.dumps({"ok": False, "error": str(error)}))
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
