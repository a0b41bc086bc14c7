"""Liveness and readiness. Unauthenticated, so answers have names of parts only."""

import logging
from collections.abc import Callable, Mapping

from django.core.cache import caches
from django.db import connection
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.needs import ANYBODY
from governance.audit.log.log_alarms import ensure_running
from governance.audit.ports import worm_store
from governance.engines.ports import RemoteEngine, policy_engine
from governance.kernel import clock
from governance.kernel.ids import new_token
from governance.keys.ring import KeyPurpose, key_ring
from governance.rulebook.queries import active_program

logger = logging.getLogger(__name__)

PROBE_SECONDS = 10


def database_answers() -> bool:
    """Return whether the database answers a query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone())


def broker_answers() -> bool:
    """Return whether Valkey keeps a value."""
    key = f"ready:{new_token(8)}"
    caches["default"].set(key, "1", timeout=PROBE_SECONDS)
    return bool(caches["default"].get(key) == "1")


def policy_is_active() -> bool:
    """Return whether there is an active policy revision whose signature and digest hold. Raises when there is none."""
    return bool(active_program().revision)


def engine_answers() -> bool:
    """Return whether the policy engine decides by the active revision. Raises when it does not."""
    engine = policy_engine.get()
    if isinstance(engine, RemoteEngine):
        engine.health(program=active_program())
    return True


def keys_can_sign() -> bool:
    """Return whether there is a valid key for every purpose."""
    now = clock.now()
    usable = {key.purpose for key in key_ring.get().public_keys() if key.in_window(now) and not key.revoked(now)}
    return usable >= set(KeyPurpose)


def worm_keeps() -> bool:
    """Return whether what must be kept can be written, to a store that keeps it. Raises when it cannot."""
    worm_store.get().ready()
    return True


def log_runs() -> bool:
    """Return whether the transparency log goes on. Raises when an alarm has stopped it."""
    ensure_running()
    return True


CHECKS: Mapping[str, Callable[[], bool]] = {
    "database": database_answers,
    "broker": broker_answers,
    "policy": policy_is_active,
    "engine": engine_answers,
    "keys": keys_can_sign,
    "worm": worm_keeps,
    "log": log_runs,
}


def _passes(name: str, check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception:  # any error means that the part is not ready
        logger.exception("the part '%s' is not ready", name)
        return False


class HealthSerializer(serializers.Serializer[None]):
    """Whether the process is up."""

    status = serializers.ChoiceField(choices=["ok"])


class ReadinessSerializer(serializers.Serializer[None]):
    """Whether everything is there that requests need, by part."""

    status = serializers.ChoiceField(choices=["ok", "failed"])
    parts = serializers.DictField(child=serializers.ChoiceField(choices=["ok", "failed"]))


class _OpenView(APIView):
    needs = {"GET": ANYBODY}
    authentication_classes = []
    permission_classes = []
    throttle_classes = []


class HealthView(_OpenView):
    """Liveness."""

    @extend_schema(operation_id="health", tags=["health"], summary="The process is up", responses=HealthSerializer)
    def get(self, request: Request) -> Response:
        """Answer without asking any other part."""
        return Response({"status": "ok"})


class ReadinessView(_OpenView):
    """Readiness."""

    @extend_schema(
        operation_id="readiness",
        tags=["health"],
        summary="Every part that requests need answers",
        responses={200: ReadinessSerializer, 503: ReadinessSerializer},
    )
    def get(self, request: Request) -> Response:
        """Ask every part; 503 if any fails."""
        found = {name: _passes(name, check) for name, check in CHECKS.items()}
        parts = {name: "ok" if passed else "failed" for name, passed in found.items()}
        ready = all(found.values())
        return Response({"status": "ok" if ready else "failed", "parts": parts}, status=200 if ready else 503)
