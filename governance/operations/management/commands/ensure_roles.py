"""`manage.py ensure_roles`: makes the standard groups of console users, or sets them back to their permissions."""

from typing import Any

from django.core.management.base import BaseCommand

from governance.console.roles import ensure_roles


class Command(BaseCommand):
    help = "Make the standard groups of console users, or set them back to their permissions."

    def handle(self, *args: Any, **options: Any) -> None:
        for name, count in ensure_roles().items():
            self.stdout.write(f"{name}: {count} permissions")
