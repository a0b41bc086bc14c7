"""Identifiers and random tokens."""

import secrets
from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a fresh UUIDv7 (RFC 9562 section 5.7): sortable by creation time to the millisecond."""
    return uuid7()


def new_secret(nbytes: int = 32) -> bytes:
    """Return `nbytes` of operating-system randomness."""
    return secrets.token_bytes(nbytes)


def new_token(nbytes: int = 32) -> str:
    """Return `nbytes` of operating-system randomness as URL-safe base64 text without padding."""
    return secrets.token_urlsafe(nbytes)
