"""`manage.py audit scrub` and `probe`: is everything in WORM storage intact, and does the store keep its promises?"""

from django.core.management.base import BaseCommand, CommandError

from governance.audit.choices import ScrubState
from governance.audit.ports import worm_store
from governance.audit.types import Actor
from governance.operations.audit_operations.operation import FAULTS, Operation
from governance.operations.options import Options
from governance.workflows.scrub import finish_scrub, start_scrub

OPERATOR = Actor("system", "command")


def _scrub(command: BaseCommand, options: Options) -> None:
    run = finish_scrub(run_id=start_scrub(actor=OPERATOR).pk, actor=OPERATOR)
    command.stdout.write(f"Read {run.done} of {run.total} objects, {run.bytes_read} bytes.")
    for number, each in enumerate(run.faults, start=1):
        command.stdout.write(
            f"\nFault {number}: {each['check']}\n"
            f"  where  {each['subject']}\n"
            f"  what   {each['message']}\n"
            f"  to do  {each['remedy']}"
        )
    if run.faults or run.state != ScrubState.FINISHED:
        raise CommandError(f"{len(run.faults)} faults; the scrub is {run.state}.", returncode=FAULTS)


def _probe(command: BaseCommand, options: Options) -> None:
    findings = worm_store.get().probe()
    for each in findings:
        outcome = "refused" if each.refused else f"ALLOWED: {each.detail}"
        command.stdout.write(f"  {each.attempt:<52} {outcome}")
        for exchange in each.exchanges:
            command.stdout.write(f"      sent    {exchange.sent}\n      answer  {exchange.answer}")
    if not findings:
        command.stdout.write("A directory has no lock to probe: whoever may write to it can change it.")
    allowed = [each for each in findings if not each.refused]
    if allowed:
        raise CommandError(f"The store allowed {len(allowed)} of {len(findings)} attempts.", returncode=FAULTS)


SCRUB = Operation(
    name="scrub",
    help="Read every WORM object back and hash it again, at the pace of the settings. Exit code 1: faults.",
    run=_scrub,
)
PROBE = Operation(
    name="probe",
    help="Try to break every promise of the WORM store on objects written for this. Exit code 1: it allowed something.",
    run=_probe,
)
