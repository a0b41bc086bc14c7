"""`manage.py seed_demo`: fills an empty installation with a small marketplace to try Assent on."""

import json
import os

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand, CommandParser

from governance.catalog.models import Creator
from governance.demo.seed import seed


class Command(BaseCommand):
    """Fill an empty database with the sample marketplace and print how to log in."""

    help = "Fill an empty database with demo creators, consent, works, a model, partners and a console user."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare `--if-empty`."""
        parser.add_argument("--if-empty", action="store_true", help="leave a database that has creators as it is")

    def handle(self, *args: object, **options: object) -> None:
        """Seed once. Raises CommandError for a database that holds creators already."""
        if not settings.ASSENT_ALLOW_DEVELOPMENT_KEYS:
            raise CommandError("Demo data has published terms and a fresh admin; it is refused in production settings.")
        if options["if_empty"] and Creator.objects.exists():
            self.stdout.write("The database has creators already; nothing was seeded.")
            return
        call_command("ensure_roles", stdout=self.stdout)
        try:
            access = seed()
        except RuntimeError as error:
            raise CommandError(str(error)) from error
        path = settings.DATA_DIR / "access.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(access, file, indent=2)
        self.stdout.write(f"Seeded. Console login and API clients are in {path}.")
