"""`manage.py audit status`, `checkpoint`, `resolve` and `succeed`: the log's state, and repairs when it stops."""

import json
from dataclasses import asdict, replace

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.audit.errors import LogHalted
from governance.audit.log.checkpoints import LogStatus, advance_log, log_status, published_checkpoint, signed_note_of
from governance.audit.log.log_alarms import codes_of, resolve_alarms
from governance.audit.log.succession import succeed
from governance.audit.types import Actor
from governance.operations.audit_operations.operation import FAULTS, Operation
from governance.operations.options import Options

OPERATOR = Actor("system", "command")


def _json_argument(parser: CommandParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def _status(command: BaseCommand, options: Options) -> None:
    _report(command, log_status(), as_json=options["json"])


def _checkpoint(command: BaseCommand, options: Options) -> None:
    _report(command, _advanced(), as_json=options["json"])
    published = published_checkpoint()
    if published is not None and not options["json"]:
        command.stdout.write(f"\n{signed_note_of(published)}", ending="")


def _advanced() -> LogStatus:
    """Return the state of the log after another round, with any alarm that the round raises."""
    try:
        return advance_log()
    except LogHalted:
        return log_status()


def _report(command: BaseCommand, status: LogStatus, *, as_json: bool) -> None:
    command.stdout.write(_as_json(status) if as_json else _as_text(status))
    if status.alarm is not None:
        raise CommandError(f"The log has stopped: {status.alarm.code}.", returncode=FAULTS)


def _as_json(status: LogStatus) -> str:
    alarm = status.alarm
    shown = alarm and {
        "code": alarm.code,
        "message": alarm.message,
        "details": alarm.details,
        "raised_at": alarm.raised_at.isoformat(),
    }
    figures = asdict(replace(status, alarm=None))
    return json.dumps({"origin": settings.ASSENT_LOG_ORIGIN, **figures, "alarm": shown})


def _as_text(status: LogStatus) -> str:
    age = "" if status.checkpoint_age_seconds is None else f", {status.checkpoint_age_seconds:.0f} s old"
    lines = [
        f"Log {settings.ASSENT_LOG_ORIGIN}",
        f"  {status.size:>10}  entries in order",
        f"  {status.waiting:>10}  waiting to be ordered, the oldest for {status.oldest_waiting_seconds:.1f} s",
        f"  {status.checkpoint_size:>10}  under the published checkpoint{age}",
        f"  {status.lag_entries:>10}  recorded but not under it yet",
    ]
    if status.alarm is not None:
        at = status.alarm.raised_at.isoformat(timespec="seconds")
        lines += ["", f"Stopped since {at}: {status.alarm.code}", f"  {status.alarm.message}", f"  {_TO_DO}"]
    return "\n".join(lines)


_TO_DO = "To do: docs/operations/runbooks/log-alarm.md. Nothing is published or released until it is resolved."


def _reason_argument(parser: CommandParser) -> None:
    parser.add_argument("--reason", required=True, help="what was found and done; do not name any person")


def _resolve(command: BaseCommand, options: Options) -> None:
    ended = resolve_alarms(resolution=options["reason"], actor=OPERATOR)
    if not ended:
        raise CommandError("There is no alarm to resolve.", returncode=FAULTS)
    command.stdout.write(f"Resolved: {codes_of(ended)}.")
    _report(command, _advanced(), as_json=False)


def _succeed_arguments(parser: CommandParser) -> None:
    parser.add_argument("--from", dest="old_origin", required=True, metavar="ORIGIN", help="the log that ends")
    _reason_argument(parser)


def _succeed(command: BaseCommand, options: Options) -> None:
    last = succeed(old_origin=options["old_origin"], reason=options["reason"], actor=OPERATOR)
    succession = "of which nothing is in WORM storage" if last is None else f"which ended with {last.body.size} entries"
    command.stdout.write(f"{settings.ASSENT_LOG_ORIGIN} takes over from {options['old_origin']}, {succession}.")
    _report(command, _advanced(), as_json=False)


STATUS = Operation(
    name="status",
    help="Show the state of the log. Exit code 0: it runs; 1: it has stopped.",
    run=_status,
    add_arguments=_json_argument,
)
CHECKPOINT = Operation(
    name="checkpoint",
    help="Order waiting entries, publish a checkpoint now and print it.",
    run=_checkpoint,
    add_arguments=_json_argument,
)
RESOLVE = Operation(
    name="resolve",
    help="End the log's alarms once their cause is removed, so that it continues; a remaining fault stops it again.",
    run=_resolve,
    add_arguments=_reason_argument,
)
SUCCEED = Operation(
    name="succeed",
    help="Continue under ASSENT_LOG_ORIGIN, a new name, when the database cannot be restored to what was published.",
    run=_succeed,
    add_arguments=_succeed_arguments,
)
