"""Write `constraints.txt` from what `.venv` holds: every distribution, direct or pulled in, at its exact version.

The file is the same on every machine: local build labels (`+cpu`) are cut off, and the CUDA packages that only some
builds of torch pull in are left out. Run it after changing a requirement file: `make pins`.
"""

import re
import sys
from importlib.metadata import distributions
from pathlib import Path

from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
MACHINE_SPECIFIC = re.compile(r"(nvidia|cuda)-.*|triton|pip")
HEADER = "# Every package that the requirement files pull in, exactly. Written by `make pins`; do not edit.\n"


def pinned() -> list[str]:
    """Return one `name==version` line for each installed distribution, sorted, fit for any platform."""
    versions = {canonicalize_name(found.metadata["Name"]): found.version.split("+")[0] for found in distributions()}
    return sorted(f"{name}=={version}" for name, version in versions.items() if not MACHINE_SPECIFIC.fullmatch(name))


def main() -> int:
    """Rewrite the file; the exit code is 0."""
    lines = pinned()
    (ROOT / "constraints.txt").write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"constraints.txt: {len(lines)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
