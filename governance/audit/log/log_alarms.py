"""Alarms of the log. Until an alarm is resolved, nothing is published or released."""

import logging
from collections.abc import Iterable

from django.db import transaction

from governance.audit.entries import LogResumed
from governance.audit.errors import LogDiverged, LogHalted
from governance.audit.log.log_guard import check_whole_log
from governance.audit.models import LogAlarm
from governance.audit.recording.record import record
from governance.audit.types import Actor, SubjectRef
from governance.kernel import clock

logger = logging.getLogger(__name__)

LOG = "log"
_MESSAGE_LENGTH = 1000


def halted() -> LogAlarm | None:
    """Return the oldest unresolved alarm, None while the log runs."""
    return LogAlarm.objects.filter(resolved_at=None).order_by("raised_at").first()


def ensure_running() -> None:
    """Raise LogHalted while there is an alarm."""
    alarm = halted()
    if alarm is not None:
        raise _halt(alarm)


def raise_alarm(found: LogDiverged) -> LogHalted:
    """Store a finding as an alarm, once until it is resolved, and return the error to raise."""
    alarm, new = LogAlarm.objects.get_or_create(
        code=found.error_code,
        resolved_at=None,
        defaults={"message": found.message[:_MESSAGE_LENGTH], "details": found.details},
    )
    if new:
        logger.critical("The log has stopped: %s (%s) %s", alarm.message, alarm.code, alarm.details)
    return _halt(alarm)


def resolve_alarms(*, resolution: str, actor: Actor) -> list[LogAlarm]:
    """Resolve all alarms and record why; return them. A remaining fault raises a new alarm at once.

    The whole log is rehashed first, because rounds check only a few old entries at a time. The entry names alarms by
    code and id; the resolution is stored outside the log, since it may name people. Raises LogDiverged, and keeps the
    alarms, while the log in the database contradicts itself.
    """
    if halted() is not None:
        check_whole_log()
    with transaction.atomic():
        alarms = list(LogAlarm.objects.select_for_update().filter(resolved_at=None).order_by("raised_at"))
        for alarm in alarms:
            alarm.resolved_at, alarm.resolved_by, alarm.resolution = clock.now(), str(actor), resolution
            alarm.save(update_fields=["resolved_at", "resolved_by", "resolution"])
            record(LogResumed.of(alarm), subject=SubjectRef(LOG, str(alarm.id)), actor=actor)
    return alarms


def codes_of(alarms: Iterable[LogAlarm]) -> str:
    """Return the codes of the alarms as text."""
    return ", ".join(alarm.code for alarm in alarms)


def _halt(alarm: LogAlarm) -> LogHalted:
    message = f"The log has stopped ({alarm.code}): {alarm.message} See 'manage.py audit status'."
    return LogHalted(message, details={"alarm": alarm.code})
