"""Checks shared by several use cases. Each raises the error class it is given, with the field named."""

from collections.abc import Collection

from governance.catalog.terms import SLUG
from governance.kernel.errors import InvalidInput
from governance.kernel.texts import is_line

REASON_CHARACTERS = 300


def check_reason(reason: str, error: type[InvalidInput]) -> None:
    """Raise `error` unless `reason` is one line of text."""
    if not is_line(reason, most=REASON_CHARACTERS):
        message = f"A reason has 1 to {REASON_CHARACTERS} printable characters."
        raise error(message, details={"field": "reason"})


def checked_slugs(slugs: Collection[str], field: str, error: type[InvalidInput]) -> list[str]:
    """Return slugs sorted and without duplicates. Raises `error` for one that is not a slug."""
    for slug in slugs:
        if not SLUG.fullmatch(slug):
            raise error(f"'{slug}' is not a slug.", details={"field": field})
    return sorted(set(slugs))
