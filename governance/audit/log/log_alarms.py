"""Alarms of the log: found once, kept until somebody has looked into it; meanwhile nothing is published or released."""

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
    """Return the oldest alarm that nobody has resolved, None while the log runs."""
    return LogAlarm.objects.filter(resolved_at=None).order_by("raised_at").first()


def ensure_running() -> None:
    """Raise LogHalted while there is an alarm."""
    alarm = halted()
    if alarm is not None:
        raise _halt(alarm)


def raise_alarm(found: LogDiverged) -> LogHalted:
    """Keep what was found as an alarm, once until it is resolved, and return the error that says so."""
    alarm, new = LogAlarm.objects.get_or_create(
        code=found.error_code,
        resolved_at=None,
        defaults={"message": found.message[:_MESSAGE_LENGTH], "details": found.details},
    )
    if new:
        logger.critical("The log has stopped: %s (%s) %s", alarm.message, alarm.code, alarm.details)
    return _halt(alarm)


def resolve_alarms(*, resolution: str, actor: Actor) -> list[LogAlarm]:
    """Let the log go on, and record why; return the alarms that ended. What is still wrong raises a new one at once.

    The whole log is rehashed before, for rounds look at old entries only a few at a time. The entry names alarms by
    code and id; what was done about them stays beside the log, for it may name people. Raises LogDiverged, and leaves
    the alarms, while the log in the database contradicts itself.
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
    """Return the alarms' codes as one text."""
    return ", ".join(alarm.code for alarm in alarms)


def _halt(alarm: LogAlarm) -> LogHalted:
    message = f"The log has stopped ({alarm.code}): {alarm.message} See 'manage.py audit status'."
    return LogHalted(message, details={"alarm": alarm.code})
