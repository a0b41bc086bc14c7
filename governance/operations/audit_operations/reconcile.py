"""`manage.py audit reconcile` and `acknowledge`: is everything there exactly once, and nothing else?"""

import json

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.audit.models import ReconciliationReport
from governance.audit.types import Actor
from governance.kernel.canonical import timestamp
from governance.operations.audit_operations.operation import FAULTS, Operation
from governance.operations.options import Options
from governance.workflows.reconcile.run import reconcile
from governance.workflows.reconcile.worm import TOO_NEW, acknowledge

OPERATOR = Actor("system", "command")


def _reconcile_arguments(parser: CommandParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    parser.add_argument("--no-bytes", action="store_true", help="look for WORM objects without rehashing them")


def _reconcile(command: BaseCommand, options: Options) -> None:
    def progress(stage: str, done: int, total: int) -> None:
        command.stderr.write(f"{stage.replace('_', ' ')}: {done} of {total}", command.style.NOTICE)

    report = reconcile(asked_by=str(OPERATOR), read_bytes=not options["no_bytes"], on_progress=progress)
    command.stdout.write(_as_json(report) if options["json"] else _as_text(report))
    if not report.ok:
        raise CommandError(f"{_faults(report)} found.", returncode=FAULTS)


def _as_json(report: ReconciliationReport) -> str:
    return json.dumps(
        {
            "ok": report.ok,
            "report": str(report.id),
            "counts": report.counts,
            "fault_count": report.fault_count,
            "faults": report.faults,
            "store_as_of": report.store_as_of and timestamp(report.store_as_of),
            "newer_objects": report.newer_objects,
        }
    )


def _as_text(report: ReconciliationReport) -> str:
    lines = ["Reconciled"]
    lines += [f"  {count:>8}  {name.replace('_', ' ')}" for name, count in report.counts.items()]
    for number, each in enumerate(report.faults, start=1):
        lines += [
            "",
            f"Fault {number}: {each['check']}",
            f"  where  {each['subject']}",
            f"  what   {each['message']}",
            f"  to do  {each['remedy']}",
        ]
    if report.fault_count > len(report.faults):
        lines += ["", f"... and {report.fault_count - len(report.faults)} more."]
    return "\n".join([*lines, "", *_freshness(report), "Nothing is missing." if report.ok else f"{_faults(report)}."])


def _freshness(report: ReconciliationReport) -> list[str]:
    """Return how fresh the view of WORM storage is, and what was seen of what is newer."""
    if report.store_as_of is None:
        return []
    as_of = f"WORM storage as of {timestamp(report.store_as_of)}; what was put there later is judged by the next run."
    newer = [f"  newer, and nothing refers to it yet: {each}" for each in report.newer_objects]
    more = report.counts.get(TOO_NEW, 0) - len(newer)
    return [as_of, *newer, *([f"  and {more} more"] if more > 0 else [])]


def _faults(report: ReconciliationReport) -> str:
    return "1 fault" if report.fault_count == 1 else f"{report.fault_count} faults"


def _acknowledge_arguments(parser: CommandParser) -> None:
    parser.add_argument("uri", help="the URI that the reconciliation names")
    parser.add_argument("version", help="the version id")


def _acknowledge(command: BaseCommand, options: Options) -> None:
    known = acknowledge(uri=options["uri"], version_id=options["version"], actor=OPERATOR)
    command.stdout.write(f"Acknowledged: {known.uri}, {known.size} bytes, SHA-256 {known.sha256}.")


RECONCILE = Operation(
    name="reconcile",
    help="Compare database, log and WORM storage. Exit code 0: nothing is missing; 1: faults.",
    run=_reconcile,
    add_arguments=_reconcile_arguments,
)
ACKNOWLEDGE = Operation(
    name="acknowledge",
    help="Record that a WORM object is known although nothing refers to it.",
    run=_acknowledge,
    add_arguments=_acknowledge_arguments,
)
