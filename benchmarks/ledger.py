"""How many durable entries the ledger takes, and what a long log costs.

Runs in a PostgreSQL of its own, with fsync, which is gone afterwards. In the same run, writers put single rows into a
plain table with the same columns, for comparison.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.stack.errors import StackError
from scripts.stack.places import ROOT
from scripts.stack.postgres import EmbeddedPostgres

STEPS = (["manage.py", "migrate", "--verbosity=0"], ["-m", "benchmarks.ledger_figures", *sys.argv[1:]])


def main() -> int:
    """Run as a script; the last line is the figures as JSON."""
    with tempfile.TemporaryDirectory(prefix="assent-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with EmbeddedPostgres(home / "postgres", log=home / "postgres.log", durable=True) as postgres:
            env = os.environ | {
                "DJANGO_SETTINGS_MODULE": "governance.config.settings.dev",
                "DATABASE_URL": postgres.url,
                "ASSENT_DATA_DIR": str(home / "data"),
            }
            for step in STEPS:
                done = subprocess.run([sys.executable, *step], cwd=ROOT, env=env, check=False)  # noqa: S603
                if done.returncode:
                    return done.returncode
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except StackError as error:
        sys.exit(str(error))
