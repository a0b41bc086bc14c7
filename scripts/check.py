"""Run every check of the repository and print one line of outcome for each.

All of them run even after one failed. Those that need a database get an
empty one of their own.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from scripts.stack.errors import StackError
from scripts.stack.places import ROOT
from scripts.stack.postgres import EmbeddedPostgres

PYTHON = sys.executable
BIN = Path(PYTHON).parent
SHOWN_LINES = 60
MANAGE = (PYTHON, "-W", "error::RuntimeWarning", "manage.py")


@dataclass(frozen=True, slots=True)
class Check:
    """A command whose exit code is 0 when the check passes."""

    name: str
    meaning: str
    command: tuple[str, ...]


CHECKS = (
    Check("lint", "ruff finds nothing", (str(BIN / "ruff"), "check", "--quiet", "--output-format=concise", ".")),
    Check("format", "ruff would format nothing anew", (str(BIN / "ruff"), "format", "--check", "--quiet", ".")),
    Check("types", "mypy, strict, finds nothing", (PYTHON, "-m", "mypy", "--no-error-summary")),
    Check("layers", "imports go down only", (str(BIN / "lint-imports"), "--no-cache")),
    Check("pins", "installed packages fit each other", (PYTHON, "-m", "pip", "check", "--quiet")),
    Check("system", "Django's own checks pass", (*MANAGE, "check", "--fail-level", "WARNING")),
    Check("migrations", "models and migrations agree", (*MANAGE, "makemigrations", "--check", "--dry-run")),
    Check("openapi", "docs/openapi.yaml is what the code serves", (PYTHON, "-m", "scripts.openapi", "--check")),
    Check("predicates", "docs/predicates.md is what the schemas say", (PYTHON, "-m", "scripts.predicates", "--check")),
    Check("ledger", "docs/ledger.md is what the code records", (PYTHON, "-m", "scripts.ledger_docs", "--check")),
    Check("policies", "rules fit the schema and their cases hold", (*MANAGE, "check_policies")),
    Check("opa", "a real OPA agrees: check, fmt, test, cases", (PYTHON, "-m", "scripts.check_opa")),
)


def run(check: Check, env: dict[str, str]) -> bool:
    """Run one check and print its line, with its output if it failed; return whether it passed."""
    begun = time.monotonic()
    done = subprocess.run(check.command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    passed = done.returncode == 0
    outcome = "ok    " if passed else "FAILED"
    print(f"{outcome} {check.name:<11} {check.meaning} ({time.monotonic() - begun:.1f} s)", flush=True)
    if not passed:
        lines = (done.stdout + done.stderr).strip().splitlines()
        print("\n".join(f"       {line}" for line in lines[-SHOWN_LINES:]), flush=True)
    return passed


def run_all(checks: list[Check]) -> int:
    """Run the checks with a database of their own and return how many failed. Raises StackError."""
    with tempfile.TemporaryDirectory(prefix="assent-check-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with EmbeddedPostgres(home / "postgres", log=home / "postgres.log", durable=False) as postgres:
            ours = {"DJANGO_SETTINGS_MODULE": "governance.config.settings.dev", "ASSENT_DATA_DIR": str(home / "data")}
            env = {**os.environ, **ours, "DATABASE_URL": postgres.url}
            return sum(not run(check, env) for check in checks)


def main() -> int:
    """Run as a script; the exit code is 0 when every check passed."""
    parser = argparse.ArgumentParser(description="Check the repository.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(check.name for check in CHECKS))
    names = parser.parse_args().names
    chosen = [check for check in CHECKS if check.name in names or not names]
    unknown = set(names) - {check.name for check in CHECKS}
    if unknown:
        parser.error(f"no check named {', '.join(sorted(unknown))}")
    try:
        failed = run_all(chosen)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(chosen) - failed} of {len(chosen)} checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
