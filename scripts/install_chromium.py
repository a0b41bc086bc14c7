"""Find a Chromium for the browser tests, and install Debian's where root may.

The tests drive the system's browser, so no browser is downloaded into the checkout.
"""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC_APPLICATIONS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
ADVICE = (
    "The browser tests need Chromium, and none was found: install it (Debian: apt-get install chromium; "
    "macOS: brew install --cask chromium), or name one with ASSENT_CHROMIUM=/path/to/chromium."
)


@functools.cache
def find_chromium() -> str | None:
    """Return the path of a Chromium or Chrome: `ASSENT_CHROMIUM`, else one on PATH, else None."""
    named = os.environ.get("ASSENT_CHROMIUM")
    if named:
        return shutil.which(named)
    found = (shutil.which(name) for name in NAMES)
    usual = (path for path in (*MAC_APPLICATIONS, "/usr/bin/chromium") if Path(path).exists())
    return next((path for path in (*found, *usual) if path), None)


def install() -> bool:
    """Install Debian's Chromium with apt-get and say whether that worked; only root on a Debian can."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    print("Installing Chromium with apt-get for the browser tests ...", file=sys.stderr)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    steps = (["update"], ["install", "--yes", "--no-install-recommends", "chromium", "fonts-dejavu-core"])
    for step in steps:
        done = subprocess.run(["apt-get", "--quiet", *step], env=env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print("\n".join((done.stderr or done.stdout).splitlines()[-5:]), file=sys.stderr)
            return False
    find_chromium.cache_clear()
    return True


def main() -> int:
    """Make sure of a Chromium; the exit code is 0 when there is one."""
    if find_chromium() or (install() and find_chromium()):
        return 0
    print(ADVICE, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
