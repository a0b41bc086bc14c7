"""`manage.py audit`: verify, watch and repair what was recorded. Its subcommands are in `audit_operations`."""

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from governance.kernel.errors import GovernanceError
from governance.operations.audit_operations.disclose import DISCLOSE
from governance.operations.audit_operations.log import CHECKPOINT, RESOLVE, STATUS, SUCCEED
from governance.operations.audit_operations.operation import CANNOT_RUN, Operation
from governance.operations.audit_operations.reconcile import ACKNOWLEDGE, RECONCILE
from governance.operations.audit_operations.worm import PROBE, SCRUB

OPERATIONS: tuple[Operation, ...] = (
    RECONCILE,
    ACKNOWLEDGE,
    SCRUB,
    PROBE,
    STATUS,
    CHECKPOINT,
    RESOLVE,
    SUCCEED,
    DISCLOSE,
)


class Command(BaseCommand):
    """Exit code 0: all is well. 1: faults, which are printed. 2: the command could not run."""

    help = "Reconcile and watch what was recorded. Exit code 0: all is well; 1: faults; 2: could not run."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare every operation as a subcommand."""
        chosen = parser.add_subparsers(dest="operation", required=True)
        for operation in OPERATIONS:
            operation.add_arguments(chosen.add_parser(operation.name, help=operation.help))

    def handle(self, *args: object, **options: object) -> None:
        """Run the operation. Raises CommandError with exit code 1 for faults and 2 when it could not run."""
        operation = next(each for each in OPERATIONS if each.name == options["operation"])
        try:
            operation.run(self, options)
        except (GovernanceError, DatabaseError) as error:
            raise CommandError(f"Cannot {operation.name}: {error}", returncode=CANNOT_RUN) from error
