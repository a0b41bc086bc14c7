"""`manage.py audit disclose`: give a creator the proof that ledger entries are about them."""

import json
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.catalog.models import Creator
from governance.catalog.personal_data import disclosures
from governance.operations.audit_operations.operation import CANNOT_RUN, Operation
from governance.operations.options import Options


def _arguments(parser: CommandParser) -> None:
    parser.add_argument("creator", help="the creator's slug")


def _disclose(command: BaseCommand, options: Options) -> None:
    creator = Creator.objects.filter(slug=options["creator"]).first()
    if creator is None:
        raise CommandError(f"There is no creator '{options['creator']}'.", returncode=CANNOT_RUN)
    opened = [asdict(each) for each in disclosures(creator=creator)]
    command.stdout.write(json.dumps({"creator": str(creator.id), "commitments": opened}, indent=2))


DISCLOSE = Operation(
    name="disclose",
    help="Print the salts and values behind the commitments to a creator's data, as JSON. For that creator only.",
    run=_disclose,
    add_arguments=_arguments,
)
