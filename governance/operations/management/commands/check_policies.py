"""`manage.py check_policies`: is everything under `policies/` sound?"""

from django.core.management.base import BaseCommand, CommandError

from governance.engines.casbin import CasbinEngine
from governance.engines.ports import RemoteEngine, policy_engine
from governance.engines.rego import RegoEngine
from governance.rulebook.checks import check_policies
from governance.rulebook.yaml_files import POLICIES


class Command(BaseCommand):
    """Check policy files with the configured engine. Needs no database."""

    help = "Check the attribute schema, the system rules, their compilation and the policy cases."
    requires_system_checks: list[str] = []

    def handle(self, *args: object, **options: object) -> None:
        """Check the rules and cases in git. Raises CommandError that lists every problem."""
        engines = {engine.name: engine for engine in (policy_engine.get(), RegoEngine(), CasbinEngine())}
        # An OPA server decides by the active revision only; the embedded engine runs the same modules here.
        asked = [engine for engine in engines.values() if not isinstance(engine, RemoteEngine)]
        reports = [(engine, check_policies(folder=POLICIES, engine=engine)) for engine in asked]
        problems = [f"{engine.name}: {problem}" for engine, report in reports for problem in report.problems]
        if problems:
            raise CommandError("\n".join(problems))
        names, report = ", ".join(engine.name for engine in asked), reports[0][1]
        self.stdout.write(f"Policies are sound: {report.rules} rules, {report.cases} cases, engines {names}.")
