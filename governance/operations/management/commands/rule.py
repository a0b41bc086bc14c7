"""`manage.py rule`: add and remove ABAC rules and publish them, through the console's services."""

import json
import sys

from django.contrib.auth import get_user_model
from django.core.management import CommandError
from django.core.management.base import BaseCommand, CommandParser

from governance.audit.types import Actor
from governance.kernel.errors import GovernanceError
from governance.kernel.json_reading import JsonRefused, read_json
from governance.operations.options import Options
from governance.rulebook.activation import publish_without_review
from governance.rulebook.models import AbacRule
from governance.rulebook.rules import parse_rule
from governance.rulebook.schema import current_schema
from governance.rulebook.services import create_rule, delete_rule


class Command(BaseCommand):
    """Add or remove an ABAC rule and put the rules into force, on behalf of a console user."""

    help = "Add (JSON on standard input) or remove an ABAC rule and publish the policy."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare `add` and `remove`."""
        actions = parser.add_subparsers(dest="operation", required=True)
        add = actions.add_parser("add", help="Read one rule as JSON from standard input, or from --json.")
        add.add_argument("--json", help="The rule as JSON text.")
        remove = actions.add_parser("remove", help="Remove a rule by its id.")
        remove.add_argument("id")
        for each in (add, remove):
            each.add_argument("--user", required=True, help="The console user on whose behalf this is done.")

    def handle(self, *args: object, **given: object) -> None:
        """Run the subcommand. Raises CommandError for an unknown user or rule, and for a rule that is not valid."""
        options: Options = {**given}
        user = get_user_model().objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active console user '{options['user']}'.")
        try:
            if options["operation"] == "add":
                data = read_json(options["json"] or sys.stdin.read())
                create_rule(spec=parse_rule(data, current_schema()), enabled=True, actor_user=user)
            else:
                delete_rule(rule=_rule(options["id"]), actor_user=user)
            note = f"manage.py rule {options['operation']}"
            revision = publish_without_review(actor=Actor("user", str(user.pk)), note=note)
        except JsonRefused as error:
            raise CommandError(f"The rule is not JSON: {error}.") from error
        except GovernanceError as error:
            raise CommandError(error.message) from error
        self.stdout.write(json.dumps({"revision": revision.number, "digest": revision.digest}))


def _rule(slug: str) -> AbacRule:
    rule = AbacRule.objects.filter(slug=slug).first()
    if rule is None:
        raise CommandError(f"There is no ABAC rule '{slug}'.")
    return rule
