"""How a token request narrows the coverage of its client. It can only narrow it; asking for more is an error.

`authorization_details` (RFC 9396) is a JSON array with one object of the type `assent_job`. Each of `actions`,
`purposes`, `models` and `datasets` is optional and, if given, a list of one or more names that the client may have.
"""

import re
from collections.abc import Iterable
from typing import Any

from governance.kernel.json_reading import JsonRefused, read_json
from governance.kernel.vocabulary import TOKEN_ACTIONS, Purpose
from governance.partners.errors import AuthorizationDetailsInvalid, ScopeInvalid
from governance.partners.types import DETAILS_TYPE, Coverage

MAX_DETAILS_LENGTH = 16 * 1024
MAX_NAMES = 200
SLUG = re.compile(r"[-a-zA-Z0-9_]{1,50}")
LISTS = ("actions", "purposes", "models", "datasets")


def narrow(*, allowed: Coverage, scope: Iterable[str], details: str | None) -> Coverage:
    """Return what a token for this request covers.

    `scope` names actions, none means all of the client's; `details` is the request parameter as sent.
    Raises ScopeInvalid, AuthorizationDetailsInvalid.
    """
    scoped = _narrow_by_scope(allowed, frozenset(scope))
    return scoped if details is None else _narrow_by_details(scoped, _parse(details))


def _narrow_by_scope(allowed: Coverage, scope: frozenset[str]) -> Coverage:
    if not allowed.actions:
        raise ScopeInvalid("This client may not do anything.")
    if not scope <= allowed.actions:
        raise ScopeInvalid(f"This client may only have the scopes {_quoted(allowed.actions)}.")
    return Coverage(scope or allowed.actions, allowed.purposes, allowed.models, allowed.datasets)


def _parse(details: str) -> dict[str, frozenset[str]]:
    """Return the named lists of the one object. RFC 9396 section 5: refuse whatever the type does not define."""
    if len(details) > MAX_DETAILS_LENGTH:
        raise AuthorizationDetailsInvalid(f"authorization_details is longer than {MAX_DETAILS_LENGTH} characters.")
    try:
        value = read_json(details)
    except JsonRefused as error:
        raise AuthorizationDetailsInvalid(f"authorization_details cannot be read: {_plain(str(error))}.") from error
    if not isinstance(value, list) or len(value) != 1 or not isinstance(value[0], dict):
        raise AuthorizationDetailsInvalid("authorization_details must be an array of exactly one object.")
    entry = dict(value[0])
    if entry.pop("type", None) != DETAILS_TYPE:
        raise AuthorizationDetailsInvalid(f"The type of authorization_details must be '{DETAILS_TYPE}'.")
    unknown = sorted(set(entry) - set(LISTS))
    if unknown:
        raise AuthorizationDetailsInvalid(f"The type '{DETAILS_TYPE}' has only the members type, {', '.join(LISTS)}.")
    return {name: _names(name, entry[name]) for name in LISTS if name in entry}


def _plain(message: str) -> str:
    """Return a message with the characters alone that an error_description may have (RFC 6749 section 5.2)."""
    return re.sub(r"[^ !#-\[\]-~]", "?", message)


def _names(member: str, value: Any) -> frozenset[str]:
    if not isinstance(value, list) or not value or len(value) > MAX_NAMES:
        raise AuthorizationDetailsInvalid(f"'{member}' must be a list of 1 to {MAX_NAMES} names.")
    known = {"actions": TOKEN_ACTIONS, "purposes": frozenset(Purpose)}.get(member)
    for name in value:
        valid = isinstance(name, str) and (name in known if known is not None else SLUG.fullmatch(name) is not None)
        if not valid:
            raise AuthorizationDetailsInvalid(f"'{member}' holds a name that does not exist or is not well formed.")
    return frozenset(value)


def _narrow_by_details(allowed: Coverage, asked: dict[str, frozenset[str]]) -> Coverage:
    return Coverage(
        actions=_within("actions", asked, allowed.actions) or allowed.actions,
        purposes=_within("purposes", asked, allowed.purposes) or allowed.purposes,
        models=_within("models", asked, allowed.models),
        datasets=_within("datasets", asked, allowed.datasets),
    )


def _within(member: str, asked: dict[str, frozenset[str]], allowed: frozenset[str] | None) -> frozenset[str] | None:
    """Return the narrower of the two lists; None means any."""
    wanted = asked.get(member)
    if wanted is None:
        return allowed
    excess = frozenset() if allowed is None else wanted - allowed
    if excess:
        raise AuthorizationDetailsInvalid(f"This client may not have the {member} {_quoted(excess)}.")
    return wanted


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names))
