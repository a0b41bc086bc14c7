"""`manage.py check_policies`: is everything under `policies/` sound?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from governance.engines.ports import policy_engine
from governance.rulebook.checks import check_policies
from governance.rulebook.yaml_files import POLICIES


class Command(BaseCommand):
    """Needs no database: it reads files and asks the configured engine."""

    help = "Check the attribute schema, the system rules, what they compile to, and the policy cases."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        engine = policy_engine.get()
        report = check_policies(folder=POLICIES, engine=engine)
        if report.problems:
            raise CommandError("\n".join(report.problems))
        self.stdout.write(f"Policies are sound: {report.rules} rules, {report.cases} cases, engine {engine.name}.")
