"""`manage.py consent`: grants and withdraws consent from the command line, through the same services as the console."""

import json

from django.core.management import CommandError
from django.core.management.base import BaseCommand, CommandParser

from governance.audit.types import Actor
from governance.catalog.choices import GrantMethod
from governance.catalog.models import ConsentLevel, Creator
from governance.operations.options import Options
from governance.workflows.consent import grant_consent, withdraw_consent

OPERATOR = Actor("user", "command-line")


class Command(BaseCommand):
    """Record a grant or withdrawal of a creator, as the console does."""

    help = "Grant or withdraw a creator's consent; open jobs are decided again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare `grant` and `withdraw`."""
        actions = parser.add_subparsers(dest="operation", required=True)
        withdraw = actions.add_parser("withdraw", help="Withdraw the default and the statements of every work.")
        grant = actions.add_parser("grant", help="Set the creator's default level.")
        for each in (withdraw, grant):
            each.add_argument("--creator", required=True, help="The creator's slug.")
        grant.add_argument("--level", required=True, help="The consent level's slug.")

    def handle(self, *args: object, **given: object) -> None:
        """Run the subcommand. Raises CommandError for an unknown creator or level."""
        options: Options = {**given}
        creator = Creator.objects.filter(slug=options["creator"]).first()
        if creator is None:
            raise CommandError(f"There is no creator '{options['creator']}'.")
        if options["operation"] == "withdraw":
            withdraw_consent(creator=creator, asset=None, everything=True, method=GrantMethod.CONSOLE, actor=OPERATOR)
        else:
            self._grant(creator, options["level"])
        creator.refresh_from_db()
        self.stdout.write(json.dumps({"creator": creator.slug, "consent_epoch": creator.consent_epoch}))

    def _grant(self, creator: Creator, slug: str) -> None:
        level = ConsentLevel.objects.filter(slug=slug).first()
        if level is None:
            raise CommandError(f"There is no consent level '{slug}'.")
        grant_consent(creator=creator, asset=None, level=level, method=GrantMethod.CONSOLE, actor=OPERATOR)
