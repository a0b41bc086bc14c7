"""`manage.py ledger`: the state of an object at a moment, and its history."""

import json
from datetime import datetime
from pathlib import Path

from django.core.management import CommandError
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from governance.audit.evidence.state_proof import state_document
from governance.audit.recording.asof import (
    AsOf,
    Presence,
    StateChange,
    find_as_of,
    history,
    read_moment,
    subjects_called,
)
from governance.audit.recording.states import State, differences
from governance.audit.types import SubjectRef
from governance.kernel.canonical import Json, timestamp
from governance.kernel.errors import GovernanceError
from governance.operations.options import Options

CANNOT_RUN = 2
_WORDS = {
    Presence.DELETED: "It had been deleted by then.",
    Presence.NOT_YET: "It did not exist yet.",
    Presence.NOT_ON_RECORD: "Its state was not on record yet; states are recorded since version 0.2.",
}


class Command(BaseCommand):
    """Exit code 0: the object existed. 1: it did not. 2: the command could not run."""

    help = "Show a partner, tier, licence or the like as of a moment, from the ledger alone, and how it changed."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare `asof` and `history`."""
        chosen = parser.add_subparsers(dest="operation", required=True)
        asof = chosen.add_parser("asof", help="the state of an object at a moment; exit code 1 if it did not exist")
        asof.add_argument("moment", help="a date (its end in UTC) or a time such as 2026-03-01T12:00:00Z")
        _name_object(asof)
        asof.add_argument(
            "--proof", type=Path, metavar="FILE", help="write the state, its entry and the proof to this file"
        )
        _name_object(chosen.add_parser("history", help="every change of an object: when, by whom and what"))

    def handle(self, *args: object, **given: object) -> None:
        """Run the subcommand. Raises CommandError with exit code 1 or 2."""
        options: Options = {**given}
        try:
            {"asof": self._asof, "history": self._history}[options["operation"]](options)
        except (GovernanceError, DatabaseError, OSError) as error:
            raise CommandError(f"Cannot answer: {error}", returncode=CANNOT_RUN) from error

    def _asof(self, options: Options) -> None:
        found = find_as_of(type_name=options["type"], name=options["name"], at=read_moment(options["moment"]))
        document = state_document(found)
        if options["proof"]:
            options["proof"].write_text(json.dumps(document) + "\n")
        self.stdout.write(json.dumps(document) if options["json"] else _as_text(found, proven=bool(document["proof"])))
        if found.presence is not Presence.THERE:
            raise CommandError(_WORDS[found.presence], returncode=1)

    def _history(self, options: Options) -> None:
        subjects = subjects_called(type_name=options["type"], name=options["name"])
        changes = [(subject, change) for subject in subjects for change in history(subject)]
        if options["json"]:
            self.stdout.write(json.dumps([_change_data(subject, change) for subject, change in changes]))
        else:
            self.stdout.write("\n\n".join(_change_text(change) for _, change in changes))


def _name_object(parser: CommandParser) -> None:
    parser.add_argument("type", help="such as partner or tier; an unknown type prints the list")
    parser.add_argument("name", help="slug or id")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def _as_text(found: AsOf, *, proven: bool) -> str:
    lines = [f"{found.noun} {found.name} as of {_time(found.at)}", *_state_lines(found.state or {})]
    if found.entry is None:
        return lines[0]
    proof = "under a published checkpoint; --proof writes it to a file" if proven else "not under a checkpoint yet"
    return "\n".join([*lines, f"  -- {_entry_line(found.entry)}", f"  -- {proof}"])


def _state_lines(state: State) -> list[str]:
    width = max(map(len, state), default=0)
    return [f"  {name:{width}}  {_value(value)}" for name, value in state.items()]


def _change_text(change: StateChange) -> str:
    changed = [
        f"  {each.name}: {_value(each.was)} → {_value(each.now)}" for each in differences(change.before, change.after)
    ]
    return "\n".join([_entry_line(change), *changed])


def _change_data(subject: SubjectRef, change: StateChange) -> dict[str, Json]:
    return {
        "id": subject.id,
        "entry_id": change.entry_id,
        "index": change.index,
        "kind": change.kind,
        "actor": str(change.actor),
        "at": timestamp(change.at),
        "before": change.before,
        "after": change.after,
    }


def _entry_line(change: StateChange) -> str:
    place = "waiting to be ordered" if change.index is None else f"ledger entry #{change.index}"
    return f"{_time(change.at)}  {change.kind} by {change.actor}, {place}"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _value(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)
