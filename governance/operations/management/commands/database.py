"""`manage.py database`: the rights of the application's database role. Run it as the owner of the tables."""

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from governance.audit.guards.database_role import complaints
from governance.audit.guards.privileges import grant_rights, role_facts
from governance.kernel.errors import GovernanceError

CANNOT_RUN = 2


class Command(BaseCommand):
    """Exit code 0: done, or all is well. 1: the role may do too much. 2: the command could not run."""

    help = "Give the application's database role its rights after a migration, or check them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare `prepare`, `grant` and `check`."""
        operations = parser.add_subparsers(dest="operation", required=True)
        grant = operations.add_parser("grant", help="Give the role exactly the rights that the guards allow.")
        grant.add_argument("--role", required=True, help="The role that the application connects as.")
        prepare = operations.add_parser("prepare", help="Migrate, then grant.")
        prepare.add_argument("--role", required=True, help="The role that the application connects as.")
        check = operations.add_parser("check", help="List what a role may do that the application must not.")
        check.add_argument("--role", help="The role to check; default: the role of this connection.")

    def handle(self, *, operation: str, role: str | None, **options: object) -> None:
        """Run the subcommand. Raises CommandError when the role is refused or the database cannot be changed."""
        try:
            if operation == "check":
                self._check(role)
                return
            if operation == "prepare":
                call_command("migrate", interactive=False, verbosity=0)
            self._grant(str(role))
        except (GovernanceError, DatabaseError) as error:
            raise CommandError(str(error), returncode=CANNOT_RUN) from error

    def _grant(self, role: str) -> None:
        found = grant_rights(role)
        history = sum(each.append_only for each in found)
        guarded = sum(bool(each.columns) for each in found)
        self.stdout.write(
            f"{role} may read {len(found)} tables; to {history} of them it may only add, and in {guarded} it may "
            "change only some columns."
        )

    def _check(self, role: str | None) -> None:
        facts = role_facts(role)
        if not facts.limited:
            raise CommandError("\n".join(complaints(facts)))
        self.stdout.write(f"{facts.name} owns nothing and can change no history.")
