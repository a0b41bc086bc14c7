"""Checking the terms of a grant before they are recorded for good."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from governance.catalog.choices import GrantMethod
from governance.catalog.errors import ConsentInvalid, ConsentLevelInvalid
from governance.catalog.models import ConsentLevel
from governance.catalog.types import ConsentTerms
from governance.kernel.regions import REGIONS
from governance.kernel.vocabulary import Action, Purpose

SLUG: Final = re.compile(r"[-a-zA-Z0-9_]{1,50}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_ACTIONS: Final = frozenset(Action)
_PURPOSES: Final = frozenset(Purpose)
_NAME_CHARACTERS: Final = 100
_RANK_MOST: Final = 32_767


@dataclass(frozen=True, slots=True)
class CheckedTerms:
    """Terms in stored form: lists sorted and without duplicates, and a definite start."""

    level: ConsentLevel
    regions: list[str]
    partners_allowed: list[str]
    partners_excluded: list[str]
    valid_from: datetime
    valid_until: datetime | None


def check_terms(terms: ConsentTerms, *, now: datetime) -> CheckedTerms:
    """Return the terms checked; `now` is the start where none is given. Raises ConsentInvalid that names the field."""
    valid_from = terms.get("valid_from") or now
    valid_until = terms.get("valid_until")
    _check_window(valid_from, valid_until)
    return CheckedTerms(
        level=terms["level"],
        regions=_regions(terms.get("regions", ())),
        partners_allowed=_partners("partners_allowed", terms.get("partners_allowed", ())),
        partners_excluded=_partners("partners_excluded", terms.get("partners_excluded", ())),
        valid_from=valid_from,
        valid_until=valid_until,
    )


def check_method(method: str) -> None:
    """Raise ConsentInvalid unless `method` is one of GrantMethod."""
    if method not in GrantMethod.values:
        raise invalid("method", f"'{method}' is not a way in which consent is given.")


def check_evidence_digest(digest: str) -> None:
    """Raise ConsentInvalid unless `digest` is empty or a SHA-256 in hexadecimal."""
    if digest and not _SHA256.fullmatch(digest):
        raise invalid("evidence_digest", "The digest of the evidence must be 64 lower-case hexadecimal digits.")


def check_pairs(pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return (action, purpose) pairs as plain text. Raises ConsentLevelInvalid for an unknown word."""
    checked = set()
    for action, purpose in pairs:
        if action not in _ACTIONS or purpose not in _PURPOSES:
            raise level_invalid("pairs", f"'{action}' for '{purpose}' is not a known use.")
        checked.add((str(action), str(purpose)))
    return checked


def check_level(*, slug: str, name: str, rank: int) -> None:
    """Raise ConsentLevelInvalid, naming the field, unless slug, name and rank of a level are valid."""
    if not SLUG.fullmatch(slug):
        raise level_invalid("slug", "A slug has 1 to 50 letters, digits, hyphens or underscores.")
    if not name.strip() or len(name) > _NAME_CHARACTERS or not name.isprintable():
        raise level_invalid("name", f"A name has 1 to {_NAME_CHARACTERS} printable characters.")
    if not 0 <= rank <= _RANK_MOST:
        raise level_invalid("rank", f"A rank is a whole number from 0 to {_RANK_MOST}.")


def invalid(field: str, message: str) -> ConsentInvalid:
    """Return the error about one field of a consent statement."""
    return ConsentInvalid(message, details={"field": field})


def level_invalid(field: str, message: str) -> ConsentLevelInvalid:
    """Return the error about one field of a consent level."""
    return ConsentLevelInvalid(message, details={"field": field})


def _check_window(valid_from: datetime, valid_until: datetime | None) -> None:
    if valid_from.tzinfo is None:
        raise invalid("valid_from", "The start needs a time zone.")
    if valid_until is None:
        return
    if valid_until.tzinfo is None:
        raise invalid("valid_until", "The end needs a time zone.")
    if valid_until <= valid_from:
        raise invalid("valid_until", "The end must be after the start.")


def _regions(regions: Collection[str]) -> list[str]:
    unknown = sorted(set(regions) - REGIONS)
    if unknown:
        listed = ", ".join(f"'{region}'" for region in unknown)
        raise invalid("regions", f"Unknown regions: {listed}. A region is an ISO 3166-1 code such as DE, or EU.")
    return sorted(set(regions))


def _partners(field: str, partners: Collection[str]) -> list[str]:
    wrong = sorted(partner for partner in set(partners) if not SLUG.fullmatch(partner))
    if wrong:
        raise invalid(field, f"'{wrong[0]}' is not the slug of a partner.")
    return sorted(set(partners))
