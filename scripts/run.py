"""Keep a seeded Assent running on this machine until Ctrl-C: what `make run` starts.

What it writes stays under `var/run`, so the next start goes on where this one ended. `PORT` chooses the port;
`DATABASE_URL`, `REDIS_URL`, `OPA_URL` and `ASSENT_WITNESSES` name those outside instead of the embedded ones; `ENGINE`
chooses the policy engine (`rego`, `opa`, `casbin`); `ASSENT_WORKERS` sets the number of inference workers. Seeding
leaves what a person needs to log in in `var/run/data/access.json`; while it runs, `var/run/env` makes a shell part of
it.
"""

import json
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.stack.errors import StackError
from scripts.stack.places import ROOT
from scripts.stack.stack import Stack

DATA_DIR = ROOT / "var" / "run"
SHELL_ENV = DATA_DIR / "env"
OUTSIDE = ("DATABASE_URL", "REDIS_URL", "OPA_URL", "ASSENT_POLICY_ENGINE", "ASSENT_WITNESSES")
ENGINES = ("rego", "opa", "casbin")
DEFAULT_PORT = 8000


def number(name: str, default: int) -> int:
    """Return the environment variable as a whole number of at least 1. Raises StackError."""
    raw = os.environ.get(name) or str(default)
    if not raw.isascii() or not raw.isdigit() or int(raw) < 1:
        raise StackError(f"{name} must be a whole number of at least 1, not '{raw}'.")
    return int(raw)


def engine() -> dict[str, str]:
    """Return the setting that `ENGINE` stands for. Raises StackError for an engine that there is not."""
    name = os.environ.get("ENGINE", "")
    if name and name not in ENGINES:
        raise StackError(f"ENGINE must be one of {', '.join(ENGINES)}, not '{name}'.")
    return {"ASSENT_POLICY_ENGINE": name} if name else {}


def welcome(stack: Stack) -> str:
    """Return what a person needs to begin: the address, the console's login, and lines to paste into a shell."""
    lines = ["", f"Assent is running at {stack.web_url} (Ctrl-C ends it)"]
    lines += [f"  console   {stack.web_url}/admin/", f"  API docs  {stack.web_url}/api/docs"]
    lines.append(f"  log       {stack.web_url}/log/checkpoint")
    access = stack.data_dir / "data" / "access.json"
    if access.exists():
        given = json.loads(access.read_text(encoding="utf-8"))
        lines.append(f"  log in    {given['console_username']} / {given['console_password']}")
        lines.append("  try       " + token_line(stack.web_url, given["client_id"], given["client_secret"]))
        lines.append(f"  shell     CLIENT='{given['client_id']}:{given['client_secret']}' API={stack.web_url}/api/v1")
    lines.append(f"  manage    (set -a; . {shlex.quote(str(SHELL_ENV))}; .venv/bin/python manage.py audit status)")
    return "\n".join([*lines, f"  logs      {stack.logs}", ""])


@contextmanager
def shell_env(stack: Stack) -> Iterator[None]:
    """Keep a file that a shell can read, so that `manage.py` works on this stack; only its owner may read it."""
    SHELL_ENV.unlink(missing_ok=True)
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in sorted(stack.settings.items())]
    with open(os.open(SHELL_ENV, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.writelines(lines)
    try:
        yield
    finally:
        SHELL_ENV.unlink(missing_ok=True)


def token_line(web_url: str, client_id: str, client_secret: str) -> str:
    """Return the `curl` line that gets a partner's access token."""
    return f"curl -s -u '{client_id}:{client_secret}' -d grant_type=client_credentials {web_url}/api/v1/oauth/token"


def serve() -> None:
    """Start all, say where it is, and stay until a signal (KeyboardInterrupt) or a dead process (ProcessDied)."""
    outside = {name: os.environ[name] for name in OUTSIDE if os.environ.get(name)}
    print("Starting Assent ...", flush=True)
    stack = Stack(
        DATA_DIR,
        port=number("PORT", DEFAULT_PORT),
        worker_count=number("ASSENT_WORKERS", 1),
        env={**outside, **engine()},
        seed=("seed_demo", "--if-empty"),
    )
    with stack, shell_env(stack):
        print(welcome(stack), flush=True)
        try:
            stack.watch()
        except KeyboardInterrupt:
            print("\nStopping ...", flush=True)


def main() -> int:
    """Run as a script; the exit code is 0 after Ctrl-C, 1 where something stood in the way or died."""
    try:
        serve()
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
