"""`manage.py verify_evidence`: recompute everything that can be recomputed and report every fault."""

import json
from argparse import ArgumentTypeError
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from governance.audit.queries import evidence_for, timeline
from governance.audit.types import SubjectRef, VerificationReport
from governance.audit.verification import verify_all
from governance.kernel.errors import GovernanceError

FAULTS = 1
CANNOT_RUN = 2


class Command(BaseCommand):
    """Exit code 0: all is valid. 1: there are faults. 2: it could not be checked."""

    help = "Verify ledger, evidence and WORM objects. Exit code 0: all is valid; 1: faults; 2: could not be checked."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare `--subject` and `--json`."""
        parser.add_argument(
            "--subject",
            type=_subject,
            metavar="TYPE:ID",
            help="check the evidence of this subject only, such as job:0190...; the whole ledger is always checked",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *, subject: SubjectRef | None, **options: object) -> None:
        """Verify, print what was checked and every fault. Raises CommandError for faults."""
        try:
            if subject and not timeline(subject) and not evidence_for(subject):
                raise CommandError(f"Nothing is recorded about {subject}.", returncode=CANNOT_RUN)
            report = verify_all(subject=subject, on_progress=self._progress)
        except (GovernanceError, DatabaseError) as error:
            raise CommandError(f"Cannot verify: {error}", returncode=CANNOT_RUN) from error
        self.stdout.write(_as_json(report) if options["json"] else _as_text(report))
        if not report.ok:
            raise CommandError(f"{_faults(report)} found.", returncode=FAULTS)

    def _progress(self, stage: str, done: int, total: int) -> None:
        self.stderr.write(f"{stage.replace('_', ' ')}: {done} of {total}", self.style.NOTICE)


def _subject(text: str) -> SubjectRef:
    kind, separator, identifier = text.partition(":")
    if not (kind and separator and identifier):
        raise ArgumentTypeError(f"{text!r} is not of the form TYPE:ID, such as job:0190...")
    return SubjectRef(type=kind, id=identifier)


def _as_json(report: VerificationReport) -> str:
    faults = [asdict(each) for each in report.faults]
    return json.dumps({"ok": report.ok, "checked": dict(report.checked), "faults": faults})


def _as_text(report: VerificationReport) -> str:
    lines = ["Checked"]
    lines += [f"  {count:>8}  {stage.replace('_', ' ')}" for stage, count in report.checked.items()]
    for number, each in enumerate(report.faults, start=1):
        lines += [
            "",
            f"Fault {number}: {each.check}",
            f"  where  {each.subject}",
            f"  what   {each.message}",
            f"  to do  {each.remedy}",
        ]
    return "\n".join([*lines, "", "Everything is valid." if report.ok else f"{_faults(report)}."])


def _faults(report: VerificationReport) -> str:
    return "1 fault" if len(report.faults) == 1 else f"{len(report.faults)} faults"
