"""`manage.py works measure`: reads the files of works from before version 0.3 as people see them."""

import json
from collections import Counter

from django.core.management.base import BaseCommand, CommandParser

from governance.audit.types import Actor
from governance.catalog.measuring import measure_asset
from governance.catalog.models import Asset
from governance.kernel.errors import GovernanceError

OPERATOR = Actor("user", "command-line")


class Command(BaseCommand):
    """Measure works whose stored size may be that of a turned picture."""

    help = "Read size, metadata and what was left out of the files of works from before version 0.3."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare `measure`."""
        parser.add_subparsers(dest="operation", required=True).add_parser(
            "measure", help="Measure every work that has not been measured; run it again after an interruption."
        )

    def handle(self, *args: object, **given: object) -> None:
        """Measure works one by one, and print how many, of how many the size changed, and those that failed."""
        counts = Counter[str]()
        for asset in Asset.objects.filter(metadata_kinds=None).order_by("pk").iterator(chunk_size=100):
            try:
                measured = measure_asset(asset=asset, actor=OPERATOR)
            except GovernanceError as error:
                counts["failed"] += 1
                self.stderr.write(f"{asset.pk}: {error.message} ({error.error_code})")
            else:
                counts["measured"] += 1
                counts["turned"] += (measured.width, measured.height) != (asset.width, asset.height)
        self.stdout.write(json.dumps({name: counts[name] for name in ("measured", "turned", "failed")}))
