"""Documents that are generated from the code: write one, or say whether the one there is current."""

import difflib
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.stack.places import ROOT

SETTINGS = "governance.config.settings.dev"
SHOWN_LINES = 40


@dataclass(frozen=True, slots=True)
class Generated:
    """A document below the root, the management command that prints it, and the make target that writes it."""

    path: Path
    command: tuple[str, ...]
    target: str


def generate(document: Generated) -> str:
    """Return the document that the code describes. Raises CalledProcessError where the command fails."""
    command = [sys.executable, "manage.py", *document.command]
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": SETTINGS}
    return subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout


def drift(document: Generated, current: str) -> str:
    """Return how the stored document differs from `current`; empty where it does not."""
    stored = (ROOT / document.path).read_text(encoding="utf-8") if (ROOT / document.path).exists() else ""
    lines = difflib.unified_diff(stored.splitlines(), current.splitlines(), str(document.path), "code", lineterm="")
    return "\n".join(list(lines)[:SHOWN_LINES])


def write_or_check(document: Generated, arguments: Sequence[str]) -> int:
    """Write the document, or with `--check` only compare; the exit code is 0 when it is current."""
    try:
        current = generate(document)
    except subprocess.CalledProcessError as error:
        return int(error.returncode)
    if "--check" in arguments:
        difference = drift(document, current)
        advice = f"{difference}\nRun `make {document.target}` and commit the result."
        print(advice if difference else f"{document.path} is current")
        return 1 if difference else 0
    (ROOT / document.path).parent.mkdir(exist_ok=True)
    (ROOT / document.path).write_text(current, encoding="utf-8")
    print(f"wrote {document.path}")
    return 0
