"""The page docs/ledger.md: every declared kind of entry, its fields, and the database rows that must match it."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from uuid import UUID

from django.template.loader import render_to_string

from governance.audit.recording.areas import Area, kinds_by_area
from governance.audit.recording.declarations import Declaration, FieldDeclaration, declarations
from governance.audit.recording.entries import build_entry
from governance.audit.recording.reconciling import coverage_of
from governance.audit.recording.states import StateEntry, recorded_objects
from governance.audit.types import Actor, SubjectRef
from governance.decisions.entries import PermitIssued
from governance.kernel.json_reading import read_json

STATES = ("before", "after")
#: The heading of a family with more kinds than this names only their first word.
NAMED = 3
_EXAMPLE = PermitIssued(
    job=UUID("019d485b-1f68-7a54-8d21-7c6b5a493827"),
    decision=UUID("019d485b-1f70-7a54-9a55-3f4b2c1d0e9f"),
    expires_at=datetime(2026, 4, 1, 9, 31, 0, 120, UTC),
)


def ledger_reference() -> str:
    """Return the page as Markdown. Complete once Django has loaded its apps."""
    areas = kinds_by_area()
    states = {field.name: field.meaning for field in _a_state_entry().fields}
    context = {
        "kinds_count": len(declarations()),
        "areas_count": len(areas),
        "example": _example(),
        "before": states["before"],
        "after": states["after"],
        "objects": ", ".join(sorted(each.noun for each in recorded_objects().values())),
        "contents": "\n".join(_contents(area) for area in areas),
        "areas": "\n\n".join(_area(area) for area in areas),
    }
    return render_to_string("docs/ledger.md", context).rstrip() + "\n"


def _example() -> str:
    body = build_entry(
        entry_id=UUID("019d485b-1f78-7a54-b3d0-1a2b3c4d5e6f"),
        kind=_EXAMPLE.declaration.kind,
        subject=SubjectRef("permit", "019d485b-1f77-7a54-a1b2-9f8e7d6c5b4a"),
        actor=Actor("worker", "gpu-1"),
        at=datetime(2026, 4, 1, 9, 30, 0, 120, UTC),
        data=_EXAMPLE.to_data(),
    )
    return json.dumps(read_json(body), indent=2)


def _a_state_entry() -> Declaration:
    return next(each.declaration for each in declarations().values() if issubclass(each, StateEntry))


def _contents(area: Area) -> str:
    words = sorted({kind.split(".")[0] for kind in area.kinds})
    return f"- [{area.name}](#{_anchor(area)}): {', '.join(f'`{word}.…`' for word in words)}"


def _anchor(area: Area) -> str:
    return area.name.lower().replace(" ", "-")


def _area(area: Area) -> str:
    found = [declarations()[kind].declaration for kind in area.kinds]
    families = [list(kinds) for _, kinds in groupby(sorted(found, key=_family), key=_family)]
    families.sort(key=lambda kinds: kinds[0].kind)
    return "\n\n".join([f"### {area.name}", *(_section(kinds) for kinds in families)])


def _family(declared: Declaration) -> tuple[object, ...]:
    """Kinds that are described together: they share their first word, their fields and their subject."""
    return (
        declared.kind.split(".")[0],
        declared.subjects,
        declared.receipt or "",
        declared.since,
        declared.unmatched,
        declared.retired,
        [(field.name, field.meaning) for field in declared.fields],
        [(each.noun, each.fields) for each in coverage_of(declared.kind)],
    )


def _section(kinds: list[Declaration]) -> str:
    first = kinds[0]
    parts = [f"#### {_heading(kinds)}"]
    if len(kinds) == 1:
        parts.append(first.meaning)
    else:
        parts.append(_table(("kind", "written when"), ((f"`{each.kind}`", each.meaning) for each in kinds)))
    parts.append("\n".join(f"- {fact}" for fact in _facts(first)))
    fields = [field for field in first.fields if field.name not in STATES]
    if fields:
        rows = ((f"`{field.name}`", field.json_type, _meaning(field, first)) for field in fields)
        parts.append(_table(("field", "JSON type", "meaning"), rows))
    return "\n\n".join(parts)


def _heading(kinds: list[Declaration]) -> str:
    if len(kinds) > NAMED:
        return f"`{kinds[0].kind.split('.')[0]}.…` ({len(kinds)} kinds)"
    return ", ".join(f"`{each.kind}`" for each in kinds)


def _facts(declared: Declaration) -> Iterator[str]:
    subjects = " or ".join(f"`{subject}`" for subject in declared.subjects)
    yield f"Subject: {subjects}. Since version {declared.since}."
    if declared.retired:
        yield f"Retired: not recorded any more since version {declared.retired}. Older ledgers hold such entries."
    if declared.receipt:
        anchor = declared.receipt.replace("/", "")
        yield f"Comes with a [receipt](receipts.md), predicate [`{declared.receipt}`](predicates.md#{anchor})."
    if any(field.name == "after" for field in declared.fields):
        yield "Holds the whole state `before` and `after`."
    if declared.unmatched:
        yield f"Must match no row: {declared.unmatched[0].lower()}{declared.unmatched[1:]}"
    for each in coverage_of(declared.kind):
        fields = f", in {', '.join(f'`{name}`' for name in each.fields)}" if each.fields else ""
        yield f"Must match: {each.noun}{fields}."


def _meaning(field: FieldDeclaration, declared: Declaration) -> str:
    return field.meaning if field.since == declared.since else f"{field.meaning} Since version {field.since}."


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
