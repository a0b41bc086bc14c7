"""`manage.py decision`: look into past decisions."""

import json
from uuid import UUID

from django.core.management import CommandError
from django.core.management.base import BaseCommand, CommandParser

from governance.decisions.models import DecisionRecord
from governance.decisions.reevaluation import Remade, remake
from governance.kernel.errors import GovernanceError
from governance.operations.options import Options


class Command(BaseCommand):
    """Look at recorded decisions: `remake` decides them again with the policy of their day."""

    help = "Re-make a past decision with the policy revision of its day, read back from WORM storage."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare `remake` and its options."""
        operations = parser.add_subparsers(dest="operation", required=True)
        again = operations.add_parser("remake", help="Decide again and compare; exit code 1 if the outcome differs.")
        again.add_argument("id", nargs="+", type=UUID)
        again.add_argument("--json", action="store_true", help="One JSON object per line.")

    def handle(self, *args: object, **given: object) -> None:
        """Run the subcommand. Raises CommandError when a decision does not exist or comes out differently."""
        options: Options = {**given}
        agreed = [self._remake(decision_id, as_json=options["json"]) for decision_id in options["id"]]
        if not all(agreed):
            raise CommandError("A decision differs from its record.")

    def _remake(self, decision_id: UUID, *, as_json: bool) -> bool:
        decision = DecisionRecord.objects.filter(pk=decision_id).first()
        if decision is None:
            raise CommandError(f"There is no decision {decision_id}.")
        try:
            remade = remake(decision)
        except GovernanceError as error:
            raise CommandError(f"{decision_id}: {error.message} ({error.error_code})") from error
        self.stdout.write(json.dumps(_data(remade)) if as_json else _text(remade))
        return remade.agrees


def _data(remade: Remade) -> Options:
    return {
        "decision": str(remade.decision.pk),
        "revision": remade.decision.revision_digest,
        "recorded": remade.decision.effect,
        "remade": remade.effect,
        "evaluations": remade.evaluations,
        "agrees": remade.agrees,
        "undecided": remade.undecided,
        "differences": list(remade.differences),
    }


def _text(remade: Remade) -> str:
    name = f"Decision {remade.decision.pk}"
    if remade.undecided:
        return f"{name}: denied without policy ({remade.undecided}); there is nothing to re-make."
    with_what = f"revision {remade.decision.revision_digest[:12]} from WORM, {remade.evaluations} evaluations"
    if remade.agrees:
        return f"{name}: {remade.effect} again, it agrees ({with_what})."
    return "\n  ".join([f"{name}: it does not agree ({with_what}).", *remade.differences])
