#!/usr/bin/env python3
"""Make `.venv` and install the pinned requirements into it, once.

Every make target runs this first. Warm, it only compares a stamp. Messages go to standard error, so a target may
keep standard output for its result. The syntax stays old on purpose: an old Python must be able to read this file
far enough to say that it is too old.
"""

import argparse
import fcntl
import hashlib
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
CANDIDATES = ("python3.13", "python3.12", "python3.11", "python3.14")
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
FLAVOURS = {
    "runtime": ("requirements.txt", "constraints.txt"),
    "dev": ("requirements-dev.txt", "requirements.txt", "constraints.txt"),
}


class BootstrapError(Exception):
    """What prevents the set-up, and what to do about it, in one sentence."""


def newer_python() -> str:
    """Return the path of an interpreter on PATH that is new enough, or the empty string."""
    question = f"import sys; sys.exit(sys.version_info < {OLDEST!r})"
    for name in CANDIDATES:
        path = shutil.which(name)
        if path and subprocess.call([path, "-c", question], stderr=subprocess.DEVNULL) == 0:
            return path
    return ""


def require_python() -> None:
    """Make sure that this Python is new enough: else run one from PATH instead, or raise BootstrapError."""
    if sys.version_info >= OLDEST:
        return
    path = newer_python()
    if not path:
        found = ".".join(str(part) for part in sys.version_info[:3])
        wanted = ".".join(str(part) for part in OLDEST)
        raise BootstrapError(
            f"Assent needs Python {wanted} or newer, but {sys.executable} is {found}: "
            f"install a newer Python, or name one with `make PYTHON=/path/to/python{wanted} ...`."
        )
    os.execv(path, [path, *sys.argv])


def stamp_path(flavour: str) -> Path:
    """Return the file that says which requirements of this flavour `.venv` holds."""
    return VENV / f".installed-{flavour}"


def fingerprint(flavour: str) -> str:
    """Return a digest of all that decides the content of `.venv`: where it is and the requirement files."""
    digest = hashlib.sha256(str(VENV).encode())
    for name in FLAVOURS[flavour]:
        digest.update(b"\0" + name.encode() + b"\0" + (ROOT / name).read_bytes())
    return digest.hexdigest()


def is_current(flavour: str) -> bool:
    """Return whether `.venv` already holds exactly what the requirement files ask for."""
    stamp = stamp_path(flavour)
    # The link behind bin/python breaks when the Python that made it is removed.
    return stamp.exists() and VENV_PYTHON.exists() and stamp.read_text() == fingerprint(flavour)


def held_lock() -> io.TextIOWrapper:
    """Return an open file whose lock keeps two make targets started together from installing over each other."""
    folder = ROOT / "var"
    try:
        folder.mkdir(exist_ok=True)
        lock = (folder / ".bootstrap.lock").open("w")
    except OSError as error:
        raise BootstrapError(f"Cannot write to {folder} ({error.strerror}): make the checkout writable.") from error
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def make_venv() -> None:
    """Make `.venv` when it is missing or its Python no longer runs; raises BootstrapError."""
    if VENV_PYTHON.exists() and subprocess.call([str(VENV_PYTHON), "-c", ""], stderr=subprocess.DEVNULL) == 0:
        return
    say("Making .venv ...")
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise BootstrapError(
            f"Cannot make {VENV} ({last_line(done.stdout)}): check that the disk is writable and that Python's "
            "venv module is complete (Debian and Ubuntu: apt-get install python3-venv)."
        )


def install(flavour: str) -> None:
    """Install the requirements of one flavour with pip; raises BootstrapError with pip's own last words."""
    say(f"Installing {FLAVOURS[flavour][0]} into .venv (once, until it changes; takes a minute or more) ...")
    command = [str(VENV_PYTHON), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["-r", str(ROOT / FLAVOURS[flavour][0]), "-c", str(ROOT / "constraints.txt")]
    log = VENV / "bootstrap.log"
    with log.open("w") as output:
        code = subprocess.call(command, stdout=output, stderr=subprocess.STDOUT, cwd=str(ROOT))
    if code != 0:
        raise BootstrapError(
            f"pip could not install {FLAVOURS[flavour][0]} ({last_line(log.read_text())}): "
            f"check the network and the free disk space, see {log}, then run the same command again."
        )


def last_line(output: str) -> str:
    """Return the last error line of a program's output, or else its last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["no output"])[-1]


def bootstrap(flavour: str) -> None:
    """Bring `.venv` up to date for one flavour (`runtime` or `dev`); raises BootstrapError or OSError."""
    if is_current(flavour):
        return
    with held_lock():
        if is_current(flavour):  # another target was installing while this one waited
            return
        make_venv()
        install(flavour)
        stamp_path(flavour).write_text(fingerprint(flavour))
        if flavour == "dev":
            stamp_path("runtime").write_text(fingerprint("runtime"))


def say(message: str) -> None:
    """Print a message for the person at the terminal."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


def main() -> int:
    """Run as a script; the exit code is 0 when `.venv` is ready."""
    parser = argparse.ArgumentParser(description="Make .venv and install the pinned requirements.")
    parser.add_argument("--dev", action="store_true", help="also install what tests and checks need")
    options = parser.parse_args()
    try:
        require_python()
        bootstrap("dev" if options.dev else "runtime")
    except BootstrapError as error:
        say(str(error))
        return 1
    except OSError as error:
        say(f"Cannot prepare .venv ({error}): check that the disk is writable and not full.")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
