"""Become another program, tied to the life of the process that asked for it.

Started as `python launcher.py PARENT_PID DEATH_SIGNAL UID GID PROGRAM [ARGUMENT ...]`: gives up root for the given
user (unless UID is -1), asks the kernel for DEATH_SIGNAL when the parent goes, and turns into PROGRAM. It uses the
standard library only and no file of this repository, since it may run as a user that can read neither.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def become_user(uid: int, gid: int) -> None:
    """Give up root for good: no group of root's stays behind."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with_parent(parent: int, signal_number: int) -> None:
    """Ask for the signal at the parent's death; on systems without prctl(2) the supervisor's own clean-up must do."""
    if sys.platform == "linux":
        # Set after the change of user, which clears it; execve keeps it.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:  # it went before the kernel knew
        os._exit(1)


def main(arguments: list[str]) -> None:
    """Do as the module says; returns never."""
    parent, signal_number, uid, gid = (int(argument) for argument in arguments[:4])
    if uid != -1:
        become_user(uid, gid)
    die_with_parent(parent, signal_number)
    program = arguments[4]
    os.execv(program, arguments[4:])


if __name__ == "__main__":
    main(sys.argv[1:])
