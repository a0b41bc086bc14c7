"""What every WORM store requires of a key and of a retention date."""

import re
from datetime import datetime

from governance.audit.errors import WormKeyInvalid, WormRetentionInvalid
from governance.kernel.canonical import timestamp

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}(/[A-Za-z0-9][A-Za-z0-9._-]{0,199})*", re.ASCII)
_KEY_LENGTH = 480


def check_future(retain_until: datetime, now: datetime) -> None:
    """Raise WormRetentionInvalid unless `retain_until` has a time zone and is after `now`."""
    if retain_until.tzinfo is None:
        raise WormRetentionInvalid("A retention date needs a time zone.")
    if retain_until <= now:
        raise WormRetentionInvalid(f"The retention date {timestamp(retain_until)} is not in the future.")


def check_key(key: str) -> None:
    """Raise WormKeyInvalid unless `key` is plain names between slashes: no '..', no hidden or absolute path."""
    if len(key) > _KEY_LENGTH or not _KEY.fullmatch(key):
        raise WormKeyInvalid(f"{key[:80]!r} is not a WORM key: names of letters, digits, '.', '_', '-' between '/'.")
