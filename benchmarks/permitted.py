"""How long it takes to find what a partner may train on, among a million works.

Makes a marketplace by SQL in a PostgreSQL of its own, which is gone afterwards, and times there the list that
`GET /api/v1/assets?permitted_for=asset.train&purpose=research` shows.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.stack.errors import StackError
from scripts.stack.places import ROOT
from scripts.stack.postgres import EmbeddedPostgres

STEPS = (["manage.py", "migrate", "--verbosity=0"], ["-m", "benchmarks.permitted_figures", *sys.argv[1:]])


def main() -> int:
    """Run as a script; the last line is the figures as JSON."""
    with tempfile.TemporaryDirectory(prefix="assent-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with EmbeddedPostgres(home / "postgres", log=home / "postgres.log", durable=False) as postgres:
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
