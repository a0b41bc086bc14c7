"""When sessions of the console end: some hours after the sign-in, after an idle hour, or at once by a service.

A session also ends with a new password (Django compares a hash of it) and with the right to use the console
(`ConsoleBackend`). The moments are kept in the session, so the browser cannot move them.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from governance.audit.recording.record import record
from governance.audit.types import Actor
from governance.console.entries import USER, UserSessionsEnded
from governance.console.models import SessionBound
from governance.kernel import clock

BEGAN: Final = "assent_session_began"
SEEN: Final = "assent_session_seen"
#: The last request is written down this often at most.
PRECISION: Final = timedelta(minutes=1)


class SessionLimitMiddleware:
    """Ends sessions that are too old or were idle for too long, and those that a service ended."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            self._judge(request)
        response = self.get_response(request)
        # A sign-in makes a new session while the request is answered; `_cached_user` is the user that was asked for.
        # The API puts its own callers, or nobody, in the user's place.
        asked = getattr(request, "_cached_user", None) is not None
        if asked and isinstance(request.user, User) and request.user.is_authenticated:
            request.session.setdefault(BEGAN, clock.now().isoformat())
        return response

    def _judge(self, request: HttpRequest) -> None:
        now = clock.now()
        began = _moment(request, BEGAN, now)
        seen = _moment(request, SEEN, began)
        why = _why_ended(request, began=began, seen=seen, now=now)
        if why:
            logout(request)
            messages.info(request, why)
        elif SEEN not in request.session or now - seen >= PRECISION:
            request.session[SEEN] = now.isoformat()


def end_sessions(user: User) -> None:
    """End all sessions of a user. For services that record why; call it in their transaction."""
    SessionBound.objects.update_or_create(user=user, defaults={"since": clock.now()})


@transaction.atomic
def sign_out_everywhere(*, user: User, actor: Actor) -> None:
    """End all sessions of a user, on record."""
    end_sessions(user)
    record(UserSessionsEnded(), subject=USER.ref(user), actor=actor)


def _why_ended(request: HttpRequest, *, began: datetime, seen: datetime, now: datetime) -> str:
    if now - began >= timedelta(hours=settings.ASSENT_SESSION_HOURS):
        return f"You were signed in for {settings.ASSENT_SESSION_HOURS} hours. Please log in again."
    if now - seen >= timedelta(minutes=settings.ASSENT_SESSION_IDLE_MINUTES):
        return "You were signed out because nothing happened for a while. Please log in again."
    if SessionBound.objects.filter(user__pk=str(request.user.pk), since__gte=began).exists():
        return "Your sessions were ended. Please log in again."
    return ""


def _moment(request: HttpRequest, name: str, default: datetime) -> datetime:
    try:
        return datetime.fromisoformat(request.session.setdefault(name, default.isoformat()))
    except (TypeError, ValueError):
        return datetime.min.replace(tzinfo=default.tzinfo)  # not written by us: the session is over
