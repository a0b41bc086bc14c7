"""`manage.py console_user`: adds console users, the first one above all, and helps those who lost their password or
second factor, through the console's own services."""

import sys
from getpass import getpass

from django.contrib.auth.models import Group, User
from django.core.management import CommandError
from django.core.management.base import BaseCommand, CommandParser

from governance.audit.types import Actor
from governance.console.accounts import Access, Person, create_user, set_password
from governance.console.signin.factors import reset_factors
from governance.kernel.errors import GovernanceError
from governance.operations.options import Options

OPERATOR = Actor("system", "operator")


class Command(BaseCommand):
    """Add and help console users, on record like what the console does."""

    help = "Add a console user, set a password, or reset a second factor."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the operations."""
        actions = parser.add_subparsers(dest="operation", required=True)
        add = actions.add_parser("add", help="Add a user who may open the console.")
        add.add_argument("username")
        add.add_argument("--superuser", action="store_true", help="The user may do everything, whatever the groups.")
        add.add_argument("--group", action="append", default=[], help="A group that the user is in; can be repeated.")
        add.add_argument("--password-stdin", action="store_true", help="Read the password from standard input.")
        password = actions.add_parser("password", help="Set a user's password, which ends all sessions.")
        password.add_argument("username")
        password.add_argument("--password-stdin", action="store_true", help="Read the password from standard input.")
        factors = actions.add_parser("reset-second-factor", help="Remove all second factors of a user who lost them.")
        factors.add_argument("username")

    def handle(self, *args: object, **given: object) -> None:
        """Do what was asked for. Raises CommandError for a group or a user that cannot be."""
        options: Options = {**given}
        try:
            self.stdout.write(_OPERATIONS[options["operation"]](options))
        except GovernanceError as error:
            raise CommandError(f"{error.message} {_sentences(error)}".rstrip()) from error


def _add(options: Options) -> str:
    groups = [_group(name) for name in options["group"]]
    access = Access(staff=True, superuser=options["superuser"], groups=groups)
    person = Person(options["username"])
    return f"Added {create_user(person=person, access=access, password=_password(options), actor=OPERATOR).username}."


def _set_password(options: Options) -> str:
    user = _user(options["username"])
    set_password(user=user, password=_password(options), actor=OPERATOR)
    return f"{user.username} has a new password."


def _reset_second_factor(options: Options) -> str:
    user = _user(options["username"])
    reset_factors(user=user, actor=OPERATOR)
    return f"{user.username} has no second factor any more."


_OPERATIONS = {"add": _add, "password": _set_password, "reset-second-factor": _reset_second_factor}


def _password(options: Options) -> str:
    return sys.stdin.readline().rstrip("\n") if options["password_stdin"] else getpass("Password: ")


def _user(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(f"There is no user '{name}'.")
    return user


def _group(name: str) -> Group:
    group = Group.objects.filter(name=name).first()
    if group is None:
        raise CommandError(f"There is no group '{name}'; manage.py ensure_roles makes the standard ones.")
    return group


def _sentences(error: GovernanceError) -> str:
    fields = error.details.get("fields")
    return " ".join(str(each) for said in fields.values() for each in said) if isinstance(fields, dict) else ""
