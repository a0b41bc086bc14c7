"""Kinds of ledger entries are declared once, each is recorded somewhere, and nothing else is recorded."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.audit.choices import ScrubState
from governance.audit.keeping import scrub
from governance.audit.recording.declarations import Declaration, declarations
from governance.audit.recording.reconciling import coverage_of
from governance.console.subjects import PAGES
from governance.decisions import replay
from governance.decisions.choices import ReplayState
from governance.jobs.choices import JobState
from governance.jobs.services import MOVES

ROOT = Path(__file__).resolve().parents[2]
CODE = [path for package in ("governance", "inference_workers") for path in sorted((ROOT / package).rglob("*.py"))]
#: Where entries are described rather than written.
DESCRIBING = {"entries.py", "reconciliation.py"}
#: What writes an entry that it is given, directly or in the same area.
RECORDERS = {"record", "record_with_receipt", "add_event"}
#: Subjects that the console has no page for: they have no row, or none that people look at.
WITHOUT_PAGE = {"evaluation", "key", "worm_object"}

KINDS = {kind: cls.declaration for kind, cls in declarations().items()}
each_kind = pytest.mark.parametrize("declared", KINDS.values(), ids=KINDS)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> set[str]:
    return {name.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names}


def used(tree: ast.Module) -> set[str]:
    """Return the names that a module reads; those that it only imports are none."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def named_where_entries_are_recorded() -> set[str]:
    found: set[str] = set()
    for path in CODE:
        tree = parsed(path)
        if path.name not in DESCRIBING and imported(tree) & RECORDERS:
            found |= imported(tree) & used(tree)
    return found


def texts_in(path: Path) -> Iterator[str]:
    yield from (
        node.value for node in ast.walk(parsed(path)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def test_every_declared_kind_is_recorded() -> None:
    """A migration of a large table may write entries in SQL, which names the kind alone."""
    recorded = named_where_entries_are_recorded()
    in_sql = "".join(text for path in CODE if "migrations" in path.parts for text in texts_in(path))
    current = {kind: cls for kind, cls in declarations().items() if not cls.declaration.retired}
    unrecorded = {kind for kind, cls in current.items() if cls.__name__ not in recorded}
    assert {kind for kind in unrecorded if f"'{kind}'" not in in_sql} == set()


def test_a_retired_kind_is_recorded_no_more() -> None:
    """Ledgers of older versions hold such entries, so the kinds stay declared."""
    retired = {kind: cls for kind, cls in declarations().items() if cls.declaration.retired}
    assert "consent_level.changed" in retired
    assert {kind for kind, cls in retired.items() if cls.__name__ in named_where_entries_are_recorded()} == set()
    assert {kind for kind, cls in retired.items() if cls.declaration.receipt} == set()


def test_kinds_are_named_by_their_classes() -> None:
    """The verifier is the exception: it knows no declarations, only the format of receipts."""
    apart = {"migrations", "transparency"}
    outside = [path for path in CODE if path.name != "entries.py" and apart.isdisjoint(path.parts)]
    bare = {str(path.relative_to(ROOT)): kinds for path in outside if (kinds := KINDS.keys() & set(texts_in(path)))}
    assert bare == {}


@each_kind
def test_a_kind_says_when_it_is_written(declared: Declaration) -> None:
    assert declared.meaning.endswith(".")
    assert all(field.meaning.endswith(".") for field in declared.fields)


@each_kind
def test_a_kind_is_matched_or_says_why_not(declared: Declaration) -> None:
    assert bool(coverage_of(declared.kind)) != bool(declared.unmatched)


@each_kind
def test_a_subject_has_a_page_in_the_console(declared: Declaration) -> None:
    assert set(declared.subjects) <= PAGES.keys() | WITHOUT_PAGE


def test_every_state_of_a_job_has_its_kind() -> None:
    assert {state: cls.declaration.kind for state, cls in MOVES.items()} == {
        state: f"job.{state}" for state in JobState
    }


def test_every_end_of_a_replay_has_its_kind() -> None:
    by_request = {*replay.OPEN, ReplayState.CANCELLED}
    assert replay.ENDINGS.keys() == set(ReplayState) - by_request
    assert all(cls.declaration.kind == f"replay.{state}" for state, cls in replay.ENDINGS.items())


def test_every_end_of_a_scrub_has_its_kind() -> None:
    never_entered = {ScrubState.RUNNING, ScrubState.FAILED}
    assert scrub.ENDINGS.keys() == set(ScrubState) - never_entered
    assert all(cls.declaration.kind == f"scrub.{state}" for state, cls in scrub.ENDINGS.items())
