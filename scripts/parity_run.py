"""What `make parity` runs once its servers are there: `python -m scripts.parity_run EXAMPLES SEED`."""

import json
import sys
import tempfile
from pathlib import Path

import django

django.setup()

from governance.engines.casbin import CasbinEngine  # noqa: E402
from governance.engines.ports import PolicyEngine  # noqa: E402
from governance.engines.rego import RegoEngine  # noqa: E402
from governance.rulebook.schema import current_schema  # noqa: E402
from scripts.stack.opa import EmbeddedOpa  # noqa: E402
from tests import parity  # noqa: E402
from tests.parity_engines import PushedOpa, SqlEngine  # noqa: E402


def main(examples: int, seed: int) -> int:
    """Print the seed first and the outcome last; the exit code is 0 when all engines agree."""
    print(f"{examples} examples from seed {seed}", flush=True)
    schema = current_schema()
    with tempfile.TemporaryDirectory(prefix="assent-parity-") as folder:
        home = Path(folder)
        with EmbeddedOpa(home, log=home / "opa.log") as server:
            engines: list[PolicyEngine] = [RegoEngine(), PushedOpa(server.url), CasbinEngine(), SqlEngine(schema)]
            outcome = {"examples": 0, "engines": [engine.name for engine in engines], "mismatches": 0}
            try:
                outcome["examples"] = parity.run(schema=schema, engines=engines, count=examples, start=seed)
            except AssertionError as mismatch:
                print(mismatch, *getattr(mismatch, "__notes__", ()), sep="\n")
                outcome |= {"mismatches": 1}
    print(json.dumps({"parity": outcome}))
    return 1 if outcome["mismatches"] else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
