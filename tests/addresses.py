"""Every address that the product answers, with something in the place of its variable parts."""

import re
from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

FILLED = {
    "UUIDConverter": "0190a1b2-0000-7000-8000-000000000000",
    "IntConverter": "1",
    "SlugConverter": "some-name",
    "StringConverter": "some-name",
    "PathConverter": "some/place",
}


def all_addresses() -> list[str]:
    """Return one address for each URL pattern; catch-all patterns, which are regular expressions, are left out."""
    return sorted({address for address in _below("/", get_resolver()) if not address.endswith("logout/")})


def _below(prefix: str, resolver: URLResolver) -> Iterator[str]:
    for each in resolver.url_patterns:
        if isinstance(each.pattern, RegexPattern):
            continue
        address = prefix + _filled(each)
        if isinstance(each, URLResolver):
            yield from _below(address, each)
        else:
            yield address


def _filled(each: URLPattern | URLResolver) -> str:
    found = each.pattern.converters
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda part: FILLED[type(found[part[1]]).__name__], str(each.pattern))
