"""`manage.py ledger_kinds`: every kind of ledger entry that this version writes, as Markdown."""

from django.core.management.base import BaseCommand

from governance.operations.ledger_reference import ledger_reference


class Command(BaseCommand):
    """Print docs/ledger.md; `make ledger-docs` writes the file."""

    help = "Print what every kind of ledger entry means, as Markdown."

    def handle(self, *args: object, **options: object) -> None:
        """Print the page."""
        self.stdout.write(ledger_reference(), ending="")
