"""Every advisory lock of the product (PostgreSQL, "Advisory Locks"): what each guards, and how it is taken.

Numbers and names must be distinct and must never change: during an upgrade, processes of two versions must use the same
lock.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum, StrEnum

from django.db import connection


class AdvisoryLock(IntEnum):
    """Locks that exist once per database."""

    #: Ordering entries in the log.
    SEQUENCER = 0x61_75_64_69_74
    #: Publishing checkpoints. It only saves work: the slots in WORM storage prevent two checkpoints of one number.
    PUBLISHER = 0x6C_6F_67
    #: Asking witnesses for cosignatures.
    COSIGNING = 0x61_73_6B
    #: Recording changes of the key ring in the log.
    KEY_HISTORY = 0x6B_65_79_73
    #: Changing rules or the active revision.
    POLICY = 0x70_75_62_6C_69_73_68
    #: Putting a version of a consent level into force: one at a time, since names are compared across levels.
    CONSENT_LEVELS = 0x6C_65_76_65_6C_73
    #: Scheduled reconciliation.
    RECONCILIATION = 0x6E_69_67_68_74


class LockScope(StrEnum):
    """Kinds of locks that exist once per name."""

    #: Writing one piece of evidence to WORM storage; the name is its id.
    EVIDENCE = "evidence"
    #: Registering an image; the name is its SHA-256.
    ASSET = "asset"
    #: Submitting under an idempotency key; the name is the partner and the key.
    IDEMPOTENCY = "idempotency"
    #: Counting a partner's open jobs; the name is the partner's id.
    OPEN_JOBS = "open-jobs"


def wait_for_lock(lock: AdvisoryLock) -> None:
    """Hold `lock` until the current transaction ends; wait while another transaction holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock.value])


def try_lock(lock: AdvisoryLock) -> bool:
    """Hold `lock` until the transaction ends, unless another transaction holds it; return whether it is held."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock.value])
        return bool(cursor.fetchone()[0])


def wait_for_named_lock(scope: LockScope, name: object) -> None:
    """Hold the lock of `name` until the current transaction ends; wait while another transaction holds it.

    Two names may share a lock, since PostgreSQL uses a 64-bit hash; that only costs time.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{scope}:{name}"])


@contextmanager
def session_lock(lock: AdvisoryLock) -> Iterator[bool]:
    """Try to hold `lock` across transactions and yield whether it is held. A lost connection releases it too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock.value])
        held = bool(cursor.fetchone()[0])
    try:
        yield held
    finally:
        if held:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [lock.value])
