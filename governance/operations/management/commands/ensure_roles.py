"""`manage.py ensure_roles`: create the standard groups of console users, or restore their permissions."""

from django.core.management.base import BaseCommand

from governance.console.roles import ensure_roles


class Command(BaseCommand):
    """Create or update the console's role groups."""

    help = "Create the standard groups of console users, or restore their permissions."

    def handle(self, *args: object, **options: object) -> None:
        """Write the groups with their permissions; safe to repeat."""
        for name, count in ensure_roles().items():
            self.stdout.write(f"{name}: {count} permissions")
