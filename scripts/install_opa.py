"""Find an Open Policy Agent for `make run ENGINE=opa`, the checks and the tests, and get one where there is none.

In this order: the program that `ASSENT_OPA` names, one fetched before, one on PATH, the official release with the
checksum below, one built from Debian's Go packages. What was fetched or built is kept in `var/tools`.
"""

import fcntl
import functools
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from scripts.build_opa import BuildFailed, build, can_build
from scripts.stack.errors import StackError
from scripts.stack.places import ROOT, make_writable

KEPT = ROOT / "var" / "tools" / "opa"
VERSION = "1.4.2"
OLDEST = (1, 0)
RELEASES = "https://github.com/open-policy-agent/opa/releases/download"
FETCH_SECONDS = 15
#: The official programs of VERSION by system and processor, with their SHA-256.
OFFICIAL = {
    ("Linux", "x86_64"): (
        "opa_linux_amd64_static",
        "2c0ccdbbe0b8e2a5d12d9c42d92f1f34f494ffb32d1f3c4ddc36101be637d66f",
    ),
    ("Linux", "aarch64"): (
        "opa_linux_arm64_static",
        "facd6a9ea375c6299701f86b90b470e52305c5726c4f136e2980fa6123ae9613",
    ),
    ("Darwin", "arm64"): (
        "opa_darwin_arm64_static",
        "e6cc4a691625958c3ad315eac8a51838ab8a1c13372777736342021fbc6b8cc3",
    ),
    ("Darwin", "x86_64"): ("opa_darwin_amd64", "5509df39af8bbfb6518f05c7f32966ffc19e6af9f4657ca2fb30405d6256ff7c"),
}
ADVICE = (
    "There is no Open Policy Agent (OPA) here and none could be had: {reasons}. "
    f"Install OPA {VERSION} so that `opa` is on PATH, or name one with ASSENT_OPA=/path/to/opa."
)


class FetchFailed(Exception):
    """Why the official release could not be fetched, as part of a sentence."""


@functools.cache
def find_opa() -> str | None:
    """Return the path of an OPA that runs and is new enough: named, fetched before, or on PATH; else None."""
    named = os.environ.get("ASSENT_OPA")
    candidates = [named] if named else [str(KEPT), "opa"]
    found = (shutil.which(candidate) for candidate in candidates)
    return next((path for path in found if path and version_of(path) >= OLDEST), None)


def opa_program() -> str:
    """Return the path of an OPA. Raises StackError where there is none."""
    path = find_opa()
    if path is None:
        raise StackError(ADVICE.format(reasons="it was not looked for further; run `make opa`"))
    return path


def version_of(program: str) -> tuple[int, ...]:
    """Return an OPA's version as numbers; empty where the program does not run or names none."""
    try:
        done = subprocess.run([program, "version"], capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"^Version: v?([0-9]+(?:\.[0-9]+)*)", done.stdout, re.MULTILINE)
    return tuple(int(part) for part in found[1].split(".")) if found and done.returncode == 0 else ()


def fetch(target: Path) -> None:
    """Put the official release for this machine at `target`. Raises FetchFailed."""
    asset = OFFICIAL.get((platform.system(), platform.machine()))
    if asset is None:
        raise FetchFailed(f"there is no official release for {platform.system()} on {platform.machine()}")
    name, checksum = asset
    try:
        with urllib.request.urlopen(f"{RELEASES}/v{VERSION}/{name}", timeout=FETCH_SECONDS) as answer:  # noqa: S310
            program = answer.read()
    except (OSError, urllib.error.URLError) as error:
        raise FetchFailed(f"its official release cannot be downloaded ({error})") from error
    if hashlib.sha256(program).hexdigest() != checksum:
        raise FetchFailed("what was downloaded is not the official release (its checksum differs)")
    staged = target.with_suffix(".new")
    staged.write_bytes(program)
    staged.chmod(0o755)
    staged.replace(target)


def install() -> list[str]:
    """Get an OPA into `var/tools`; return the reason for each way that failed, if all did. Raises StackError."""
    if os.environ.get("ASSENT_OPA"):
        return [f"ASSENT_OPA names {os.environ['ASSENT_OPA']}, which is no OPA of version 1 or newer"]
    make_writable(KEPT.parent)
    with (KEPT.parent / ".opa.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        find_opa.cache_clear()
        if find_opa():  # another target got it while this one waited
            return []
        reasons = _get()
    find_opa.cache_clear()
    return [] if find_opa() else reasons or ["the program that was fetched does not run"]


def _get() -> list[str]:
    try:
        print(f"Fetching OPA {VERSION} ...", file=sys.stderr)
        fetch(KEPT)
    except FetchFailed as error:
        reasons = [str(error)]
    else:
        return []
    if not can_build():
        return [*reasons, "it can be built only on a Debian with apt-get"]
    print("Building OPA from Debian's Go packages (once; takes some minutes) ...", file=sys.stderr)
    try:
        build(KEPT)
    except (BuildFailed, OSError) as error:
        return [*reasons, f"it cannot be built ({error})"]
    return []


def main() -> int:
    """Make sure that there is an OPA; exit code 0 if so. `--path` prints its path."""
    try:
        reasons = [] if find_opa() else install()
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    if reasons:
        print(ADVICE.format(reasons="; ".join(reasons)), file=sys.stderr)
        return 1
    if "--path" in sys.argv[1:]:
        print(find_opa())
    return 0


if __name__ == "__main__":
    sys.exit(main())
