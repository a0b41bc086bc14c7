"""Bounds on attempts to sign in: how many may fail, and how many passwords are hashed at once.

django-allauth counts attempts in Valkey, under a lock, before the password is hashed, and gives an attempt back when it
succeeds. An attempt that cannot be counted is refused. A limit ends by itself, as the attempts grow old.
"""

import math
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Final

from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest

APP: Final = "allauth.account"
ACTION: Final = "login_failed"
TOO_MANY: Final = "too_many_login_attempts"
BUSY: Final = "sign_in_busy"
BUSY_SECONDS: Final = 2

#: One password is hashed at a time in each process, and two more attempts may wait for it, so that the other threads
#: of the server stay free for the API. Hashing a password costs about half a second of a core, on purpose.
_hashing = BoundedSemaphore(1)
_waiting = BoundedSemaphore(3)


class SignInRefused(ValidationError):
    """An attempt that was not made. `seconds` is when to try again."""

    def __init__(self, message: str, *, code: str, seconds: int) -> None:
        super().__init__(message, code=code)
        self.seconds = seconds


def account_key(username: str) -> str:
    """Return what the attempts on an account are counted under, however the name is spelt."""
    return unicodedata.normalize("NFKC", username).strip().casefold()


def factor_key(user_key: object) -> str:
    """Return what django-allauth counts the wrong codes of a user under."""
    return f"mfa-auth-user-{user_key}"


def take_attempt(request: HttpRequest, username: str) -> ratelimit.RateLimitUsage:
    """Count an attempt, before anything is hashed, and return it to be given back. Raises SignInRefused."""
    key = account_key(username)
    usage = ratelimit.consume(request, app=APP, action=ACTION, key=key)
    if usage is None:
        raise too_many(seconds_left(request, key))
    return usage


def is_used_up(request: HttpRequest, key: str) -> bool:
    """Return whether the account behind a key has no attempt left."""
    return any(_left(request, rate, key) for rate in _rates() if rate.per == "key")


def seconds_left(request: HttpRequest, key: str) -> int:
    """Return the seconds until the next attempt on this key from this address is counted, at least 1."""
    return max(1, *(math.ceil(_left(request, rate, key)) for rate in _rates()))


def end_limit(request: HttpRequest, key: str) -> None:
    """Forget the failed attempts on an account, from whichever address they came."""
    for rate in _rates():
        if rate.per == "key":
            cache.delete(_cache_key(request, rate, key))


def too_many(seconds: int) -> SignInRefused:
    """Return the error of an attempt past the limits."""
    minutes = math.ceil(seconds / 60)
    wait = f"{minutes} minutes" if minutes > 1 else f"{seconds} seconds" if seconds < 60 else "a minute"
    message = f"Too many attempts to sign in failed. Try again in {wait}, or ask an administrator to end the wait."
    return SignInRefused(message, code=TOO_MANY, seconds=seconds)


@contextmanager
def hashing_slot() -> Iterator[None]:
    """Wait for the right to hash a password. Raises SignInRefused, at once, where others wait already."""
    if not _waiting.acquire(blocking=False):
        raise SignInRefused(
            "Many people are signing in at this moment. Try again in a few seconds.", code=BUSY, seconds=BUSY_SECONDS
        )
    try:
        with _hashing:
            yield
    finally:
        _waiting.release()


def _rates() -> list[ratelimit.Rate]:
    found: list[ratelimit.Rate] = ratelimit.get_rates(app=APP, action=ACTION)
    return found


def _cache_key(request: HttpRequest, rate: ratelimit.Rate, key: str) -> str:
    return str(ratelimit.get_cache_key(request, app=APP, action=ACTION, rate=rate, key=key))


def _left(request: HttpRequest, rate: ratelimit.Rate, key: str) -> float:
    """Return the seconds until an attempt fits into a rate, 0 for one that does now. History is newest first."""
    history: list[float] = cache.get(_cache_key(request, rate, key), [])
    now = time.time()
    recent = [moment for moment in history if moment > now - rate.duration]
    return recent[rate.amount - 1] + rate.duration - now if len(recent) >= rate.amount else 0.0
