"""Write the OpenAPI document of the code to `docs/openapi.yaml`, or say whether the one there is current."""

import difflib
import os
import subprocess
import sys

from scripts.stack.places import ROOT

DOCUMENT = ROOT / "docs" / "openapi.yaml"
SETTINGS = "governance.config.settings.dev"
SHOWN_LINES = 40


def generate() -> str:
    """Return the document that the code describes. Raises CalledProcessError where it warns or fails."""
    command = [sys.executable, "manage.py", "spectacular", "--validate", "--fail-on-warn"]
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": SETTINGS}
    return subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout


def drift(current: str) -> str:
    """Return how the stored document differs from `current`; empty where it does not."""
    stored = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    lines = difflib.unified_diff(stored.splitlines(), current.splitlines(), "docs/openapi.yaml", "code", lineterm="")
    return "\n".join(list(lines)[:SHOWN_LINES])


def main(arguments: list[str]) -> int:
    """Write the document, or with `--check` only compare; the exit code is 0 when it is current."""
    try:
        current = generate()
    except subprocess.CalledProcessError as error:
        return int(error.returncode)
    if "--check" in arguments:
        difference = drift(current)
        print(
            f"{difference}\nRun `make openapi` and commit the result." if difference else "docs/openapi.yaml is current"
        )
        return 1 if difference else 0
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(current, encoding="utf-8")
    print(f"wrote {DOCUMENT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
