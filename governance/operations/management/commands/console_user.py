"""`manage.py console_user`: adds console users, the first one above all, through the console's own service."""

import sys
from getpass import getpass

from django.contrib.auth.models import Group
from django.core.management import CommandError
from django.core.management.base import BaseCommand, CommandParser

from governance.audit.types import Actor
from governance.console.accounts import Access, Person, create_user
from governance.kernel.errors import GovernanceError
from governance.operations.options import Options

OPERATOR = Actor("system", "operator")


class Command(BaseCommand):
    """Add a console user, on record like those that the console adds."""

    help = "Add a console user, in groups or as a superuser."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare `add`."""
        actions = parser.add_subparsers(dest="operation", required=True)
        add = actions.add_parser("add", help="Add a user who may open the console.")
        add.add_argument("username")
        add.add_argument("--superuser", action="store_true", help="The user may do everything, whatever the groups.")
        add.add_argument("--group", action="append", default=[], help="A group that the user is in; can be repeated.")
        add.add_argument("--password-stdin", action="store_true", help="Read the password from standard input.")

    def handle(self, *args: object, **given: object) -> None:
        """Ask for the password and add the user. Raises CommandError for a group or a user that cannot be."""
        options: Options = {**given}
        groups = [_group(name) for name in options["group"]]
        access = Access(staff=True, superuser=options["superuser"], groups=groups)
        password = sys.stdin.readline().rstrip("\n") if options["password_stdin"] else getpass("Password: ")
        try:
            user = create_user(person=Person(options["username"]), access=access, password=password, actor=OPERATOR)
        except GovernanceError as error:
            raise CommandError(f"{error.message} {_sentences(error)}".rstrip()) from error
        self.stdout.write(f"Added {user.username}.")


def _group(name: str) -> Group:
    group = Group.objects.filter(name=name).first()
    if group is None:
        raise CommandError(f"There is no group '{name}'; manage.py ensure_roles makes the standard ones.")
    return group


def _sentences(error: GovernanceError) -> str:
    fields = error.details.get("fields")
    return " ".join(str(each) for said in fields.values() for each in said) if isinstance(fields, dict) else ""
