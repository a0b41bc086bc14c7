"""Rate limits. Requests are counted in Valkey, so that every process sees the same count.

A sliding window of one minute, from two counters: the current minute's, and the one before in the share that still
lies within the last sixty seconds. Refused requests do not count, so waiting always helps. While requests cannot be
counted, all are refused.
"""

import base64
import binascii
import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import caches
from redis.exceptions import RedisError
from rest_framework.authentication import get_authorization_header
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from governance.api.errors import ThrottleUnavailable
from governance.kernel import clock
from governance.partners.types import TokenGrant

WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Counter:
    """One caller's sliding window: at most `limit` requests in any sixty seconds."""

    name: str
    limit: int

    def take(self) -> float | None:
        """Count one request; return None, or the seconds to wait if it is one too many (it then does not count)."""
        minute, elapsed = divmod(clock.now().timestamp(), WINDOW_SECONDS)
        with _counting():
            cache = caches["default"]
            current = self._key(int(minute))
            cache.add(current, 0, timeout=2 * WINDOW_SECONDS)
            count = cache.incr(current)
            before = int(cache.get(self._key(int(minute) - 1), 0))
            if count + before * (1 - elapsed / WINDOW_SECONDS) <= self.limit:
                return None
            cache.decr(current)
        return self._wait(count - 1, before, elapsed)

    def is_full(self) -> float | None:
        """Return None, or the seconds to wait if the window is full; counts nothing."""
        minute, elapsed = divmod(clock.now().timestamp(), WINDOW_SECONDS)
        with _counting():
            found = caches["default"].get_many([self._key(int(minute)), self._key(int(minute) - 1)])
        count = int(found.get(self._key(int(minute)), 0))
        before = int(found.get(self._key(int(minute) - 1), 0))
        if count + 1 + before * (1 - elapsed / WINDOW_SECONDS) <= self.limit:
            return None
        return self._wait(count, before, elapsed)

    def _wait(self, count: int, before: int, elapsed: float) -> float:
        """Return the seconds until one more request fits, if none comes until then."""
        room = self.limit - 1 - count
        if room >= 0:
            return max(WINDOW_SECONDS * (1 - room / before) - elapsed, 0.0)
        return WINDOW_SECONDS - elapsed + WINDOW_SECONDS * (1 - (self.limit - 1) / count)

    def _key(self, minute: int) -> str:
        return f"throttle:{self.name}:{minute}"


@contextmanager
def _counting() -> Iterator[None]:
    try:
        yield
    except (RedisError, ValueError) as error:  # ValueError: a counter vanished between two commands
        raise ThrottleUnavailable("Requests cannot be counted just now.") from error


class _WaitingThrottle(BaseThrottle):
    """Remembers how long to wait."""

    seconds: float | None = None

    def wait(self) -> float | None:
        """Return the seconds until a request may pass, rounded up."""
        return None if self.seconds is None else max(math.ceil(self.seconds), 1)


class TierThrottle(_WaitingThrottle):
    """As many requests per minute as the partner's tier allows, over all its clients and tokens."""

    def allow_request(self, request: Request, view: object) -> bool:
        """Return whether the request may pass. Raises ThrottleUnavailable."""
        grant = request.auth
        if not isinstance(grant, TokenGrant):
            return True
        limit = grant.partner.tier.requests_per_minute
        self.seconds = Counter(f"partner:{grant.partner.id}", limit).take()
        return self.seconds is None


class OAuthThrottle(_WaitingThrottle):
    """Slows guessing at the endpoints that take a client secret.

    Limits requests per address, and failures per address and client id, so that nobody can lock out a client from
    elsewhere.
    """

    def allow_request(self, request: Request, view: object) -> bool:
        """Return whether the request may pass. Raises ThrottleUnavailable."""
        by_address = Counter(f"oauth:{self._address(request)}", settings.ASSENT_TOKEN_REQUESTS_PER_MINUTE)
        self.seconds = self._failures(request).is_full() or by_address.take()
        return self.seconds is None

    def count_failure(self, request: Request) -> None:
        """Remember a failed authentication. Raises ThrottleUnavailable."""
        self._failures(request).take()

    def _failures(self, request: Request) -> Counter:
        digest = hashlib.sha256(claimed_client_id(request).encode(errors="replace")).hexdigest()
        return Counter(f"oauth-failures:{self._address(request)}:{digest}", settings.ASSENT_TOKEN_FAILURES_PER_MINUTE)

    def _address(self, request: Request) -> str:
        return hashlib.sha256(str(self.get_ident(request)).encode(errors="replace")).hexdigest()


def claimed_client_id(request: Request) -> str:
    """Return the client id that the request claims, in its Basic credentials or its form; empty without one."""
    scheme, _, credentials = get_authorization_header(request).partition(b" ")
    if scheme.lower() != b"basic":
        return str(request.POST.get("client_id", ""))
    try:
        return base64.b64decode(credentials).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
