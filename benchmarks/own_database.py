"""A PostgreSQL of a benchmark's own, migrated and empty, which is gone afterwards."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.stack.errors import StackError
from scripts.stack.places import ROOT
from scripts.stack.postgres import EmbeddedPostgres


def measure(module: str, *, durable: bool) -> None:
    """Run `module` with the command line's arguments against such a database, and exit with its code.

    `durable` is whether PostgreSQL waits for the disk (fsync).
    """
    try:
        sys.exit(_measured(module, durable=durable))
    except StackError as error:
        sys.exit(str(error))


def _measured(module: str, *, durable: bool) -> int:
    with tempfile.TemporaryDirectory(prefix="assent-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with EmbeddedPostgres(home / "postgres", log=home / "postgres.log", durable=durable) as postgres:
            env = os.environ | {
                "DJANGO_SETTINGS_MODULE": "governance.config.settings.dev",
                "DATABASE_URL": postgres.url,
                "ASSENT_DATA_DIR": str(home / "data"),
            }
            for step in (["manage.py", "migrate", "--verbosity=0"], ["-m", module, *sys.argv[1:]]):
                done = subprocess.run([sys.executable, *step], cwd=ROOT, env=env, check=False)  # noqa: S603
                if done.returncode:
                    return done.returncode
    return 0
