"""Hold every policy engine against every other on random rules and requests.

Starts a PostgreSQL and an OPA of its own. The last line says in JSON how many examples were tried; a mismatch is shown
on the smallest example that has it, and ends with a failure.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.stack.errors import StackError
from scripts.stack.places import ROOT
from scripts.stack.postgres import EmbeddedPostgres


def main() -> int:
    """Run as a script; the exit code is 0 when all engines agree."""
    parser = argparse.ArgumentParser(description="Hold the policy engines against one another.")
    parser.add_argument("--examples", type=int, default=500)
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="assent-parity-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with EmbeddedPostgres(home / "postgres", log=home / "postgres.log", durable=False) as postgres:
            env = os.environ | {
                "DJANGO_SETTINGS_MODULE": "governance.config.settings.dev",
                "DATABASE_URL": postgres.url,
                "ASSENT_DATA_DIR": str(home / "data"),
            }
            for step in (
                ["manage.py", "migrate", "--verbosity=0"],
                ["-m", "scripts.parity_run", str(chosen.examples), str(chosen.seed)],
            ):
                done = subprocess.run([sys.executable, *step], cwd=ROOT, env=env, check=False)
                if done.returncode:
                    return done.returncode
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except StackError as error:
        print(json.dumps({"parity": {"error": str(error)}}), file=sys.stderr)
        sys.exit(1)
