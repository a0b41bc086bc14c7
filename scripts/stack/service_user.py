"""PostgreSQL refuses to run as root: the system user that stands in where the person at the terminal is root."""

import functools
import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

USER_NAME = "assent-postgres"
FALLBACK_NAME = "nobody"


@dataclass(frozen=True, slots=True)
class ServiceUser:
    """A system user and its group, by number."""

    name: str
    uid: int
    gid: int


@functools.cache
def postgres_user() -> ServiceUser | None:
    """Return the user that runs PostgreSQL, or None where the present user can.

    As root a system user of its own is made once; where that is not possible (a read-only system, no `useradd`) it
    is `nobody`.
    """
    if os.geteuid() != 0:
        return None
    if not _exists(USER_NAME):
        _create(USER_NAME)
    entry = pwd.getpwnam(USER_NAME if _exists(USER_NAME) else FALLBACK_NAME)
    return ServiceUser(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def can_use(user: ServiceUser, path: Path) -> bool:
    """Return whether the user can reach, read and enter (or run) the path, by asking as that user."""
    question = 'test -r "$1" && test -x "$1"'
    command = ["/bin/sh", "-c", question, "sh", str(path)]
    done = subprocess.run(command, cwd="/", user=user.uid, group=user.gid, extra_groups=[], check=False)
    return done.returncode == 0


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _create(name: str) -> None:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    try:
        subprocess.run([*command, "--shell", "/usr/sbin/nologin", name], capture_output=True, check=False)
    except FileNotFoundError:
        return
