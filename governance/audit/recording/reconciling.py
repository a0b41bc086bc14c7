"""The checks of reconciliation: their form, and the list of those that areas declare in `reconciliation.py`.

A check is one database query that returns what is wrong, however many rows there are. Most checks pair rows with the
entries that record them. Areas declare theirs with `declare_checks` and the functions beside it; `workflows.reconcile`
runs them all.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from django.db.models import Model

from governance.audit.recording.declarations import Entry, declarations, kinds_of
from governance.audit.recording.states import recorded_objects, state_kinds
from governance.audit.tally import Tally
from governance.audit.types import Fault
from governance.kernel import clock

_KEEP = "Keep the database as it is and find out who wrote to it without the application."

#: Remedies, by the suffix of a check's code.
REMEDIES = {
    "unrecorded": f"It was written without its entry, or the entry was removed. {_KEEP} Compare it with a backup.",
    "removed": f"The row was removed; the log still records it. {_KEEP} Restore the row from a backup.",
    "differs": f"The log counts, not the row. {_KEEP} Restore the row from a backup.",
}

#: Kinds of entry: a class, a base that stands for its family, or a name.
Kind = type[Entry] | str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What entries of a kind must match in the database: rows called `noun`, in the named fields."""

    noun: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """A query whose every row is a fault: `sql` selects the check's code, the subject and the message.

    `kinds` are the kinds of entry that it compares with rows called `noun`, in `fields`; empty for a check that
    compares rows with rows.
    """

    sql: str
    remedies: Mapping[str, str]
    kinds: tuple[Kind, ...] = ()
    noun: str = ""
    fields: tuple[str, ...] = ()

    def check(self) -> "Check":
        """Return the check itself."""
        return self


class Question(Protocol):
    """Something that provides a check."""

    def check(self) -> Check:
        """Return the check to run now."""


@dataclass(frozen=True, slots=True)
class CheckAsOf:
    """A check that depends on the current time, for which `build` returns it."""

    build: Callable[[datetime], Check]

    def check(self) -> Check:
        """Return the check as of now."""
        return self.build(clock.now())


def check(code: str, *, subject: str, message: str, found: str, remedy: str) -> Check:
    """Return the check `code`; `subject` and `message` are SQL expressions over the rows that `found` selects from."""
    return Check(sql=f"SELECT '{code}', {subject}, {message} {found}", remedies={code: remedy})


@dataclass(frozen=True, slots=True)
class Pairing:
    """Rows and entries that belong together one to one.

    `rows` selects `key`, `ord` (the order among equal keys) and what `differs` compares; `entries` are the kinds of
    entry, `key` is an expression over the entry `e`. `differs` names, by field, an expression over the row `r` and one
    over the entry `e` that must be equal.
    """

    code: str
    noun: str
    rows: str
    entries: tuple[Kind, ...]
    key: str
    differs: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def check(self) -> Check:
        """Return the check with the codes `…_unrecorded`, `…_removed` and `…_differs`."""
        return Check(
            sql=self._sql(),
            remedies={f"{self.code}_{end}": remedy for end, remedy in REMEDIES.items()},
            kinds=self.entries,
            noun=self.noun,
            fields=tuple(self.differs),
        )

    def _sql(self) -> str:
        unequal = {name: f"{row} IS DISTINCT FROM {entry}" for name, (row, entry) in self.differs.items()}
        return f"""
        WITH {entries_where(one_of(*self.entries))},
        kept AS (SELECT *, row_number() OVER (PARTITION BY key ORDER BY ord) AS turn FROM ({self.rows}) AS found),
        recorded AS (
            SELECT e.*, {self.key} AS key, row_number() OVER (PARTITION BY {self.key} ORDER BY e.place) AS turn
            FROM entries AS e WHERE {self.key} IS NOT NULL
        ),
        paired AS (
            SELECT '{self.noun} ' || coalesce(r.key, e.key) AS subject, e.name,
                   r.key IS NULL AS removed, e.key IS NULL AS unrecorded,
                   concat_ws(', ', {differing(unequal)}) AS fields
            FROM kept AS r FULL JOIN recorded AS e ON r.key = e.key AND r.turn = e.turn
        )
        SELECT CASE WHEN unrecorded THEN '{self.code}_unrecorded' WHEN removed THEN '{self.code}_removed'
                    ELSE '{self.code}_differs' END,
               subject,
               CASE WHEN unrecorded THEN 'The log has no entry for it.'
                    WHEN removed THEN name || ' records it, but the row is missing.'
                    ELSE name || ' differs in: ' || fields || '.' END
        FROM paired WHERE unrecorded OR removed OR fields <> ''
        """


def differing(conditions: Mapping[str, str]) -> str:
    """Return the arguments of `concat_ws` that name each field for which its condition holds."""
    return ", ".join(["NULL", *(f"CASE WHEN {condition} THEN '{name}' END" for name, condition in conditions.items())])


def entries_where(condition: str) -> str:
    """Return the common table expression `entries`: ordered and waiting entries with their data.

    `place` orders them; `data` is NULL for bytes that are not an entry, which the ledger's own checks report.
    """
    columns = "kind, subject_type, subject_id, actor_type, actor_id, occurred_at, body"
    return f"""
        entries AS MATERIALIZED (
            SELECT name, place, kind, subject_type, subject_id, actor_type || ':' || actor_id AS actor, occurred_at,
                   entry_id, index, CASE WHEN body IS JSON OBJECT THEN convert_from(body, 'UTF8')::jsonb -> 'data' END
                   AS data
            FROM (
                SELECT 'Ledger entry #' || index AS name, index AS place, entry_id, index, {columns}
                FROM audit_ledgerentry WHERE {condition}
                UNION ALL
                SELECT 'Waiting entry ' || entry_id, 4611686018427387904 + id, entry_id, NULL, {columns}
                FROM audit_outboxentry WHERE {condition}
            ) AS both_places
        )
    """


def one_of(*kinds: Kind) -> str:
    """Return the condition that an entry is of one of these kinds."""
    names = [repr(name) for kind in kinds for name in _names(kind)]
    return f"kind IN ({', '.join(names)})"


def moment(expression: str) -> str:
    """Return an expression that reads a JSON text as a moment."""
    return f"({expression})::timestamptz"


def _names(kind: Kind) -> tuple[str, ...]:
    return (kind,) if isinstance(kind, str) else kinds_of(kind)


# what areas declare


#: A check of single rows, where a query cannot tell what is wrong.
Scan = Callable[[Tally], Iterator[Fault]]

_questions: list[Question] = []
_scans: list[Scan] = []
_counted: dict[str, type[Model]] = {}
_kept: dict[str, tuple[type[Model], str]] = {}


def declare_checks(*questions: Question) -> None:
    """Declare the checks of an area's tables."""
    _questions.extend(questions)


def declare_scan(scan: Scan) -> Scan:
    """Declare a function that checks an area's rows one by one, and return it."""
    _scans.append(scan)
    return scan


def declare_counted(**models: type[Model]) -> None:
    """Declare the tables whose rows the report counts, by their name in the report."""
    _counted.update(models)


def declare_kept(subject: str, model: type[Model], *, column: str = "id") -> None:
    """Declare that rows of `model` are never removed; `column` is the id in entries about this type of subject."""
    _kept[subject] = (model, column)


def checks() -> tuple[Check, ...]:
    """Return all checks to run now. Complete once Django has loaded its apps."""
    return (*(each.check() for each in _questions), *(_kept_check(subject) for subject in _kept))


def scans() -> tuple[Scan, ...]:
    """Return every function that checks rows one by one."""
    return tuple(_scans)


def counted_models() -> Mapping[str, type[Model]]:
    """Return the models whose rows the report counts, by their name in the report."""
    return MappingProxyType(_counted)


def kept_subjects() -> frozenset[str]:
    """Return the types of subject whose rows are never removed."""
    return frozenset(_kept)


def coverage_of(kind: str) -> tuple[Coverage, ...]:
    """Return what entries of a kind must match in the database, as declared by checks.

    For entries with an object's whole state that is `after`, which must equal the state of its row.
    """
    paired = [Coverage(each.noun, each.fields) for each in checks() if any(_covers(kind, it) for it in each.kinds)]
    whole = [
        Coverage(each.noun, ("after",)) for each in recorded_objects().values() if kind in state_kinds(each.subject)
    ]
    return (*paired, *whole)


def _covers(kind: str, covered: Kind) -> bool:
    return kind in _names(covered)


def _kept_check(subject: str) -> Check:
    model, column = _kept[subject]
    return check(
        "subject_removed",
        subject=f"'{subject} ' || e.subject_id",
        message="'The log records it in ' || count(*) || ' entries, but the row is missing.'",
        found=f"""FROM (
            SELECT subject_id FROM audit_ledgerentry WHERE subject_type = '{subject}'
            UNION ALL SELECT subject_id FROM audit_outboxentry WHERE subject_type = '{subject}'
        ) AS e LEFT JOIN {model._meta.db_table} AS t ON t.{column}::text = e.subject_id
        WHERE t.{column} IS NULL {_not_deleted_before(subject)} GROUP BY e.subject_id""",
        remedy="The row was removed; the log still records it. Restore it from a backup.",
    )


def _not_deleted_before(subject: str) -> str:
    """Return the condition that leaves out what an older version deleted, with an entry of a kind that is retired.

    Only entries from before the upgrade count: whatever is adopted then comes after them in the log.
    """
    retired = [
        kind
        for kind, cls in declarations().items()
        if cls.declaration.retired and kind.endswith(".deleted") and subject in cls.declaration.subjects
    ]
    if not retired:
        return ""
    return f"""AND NOT EXISTS (
            SELECT FROM audit_ledgerentry AS d
            WHERE d.kind IN ({", ".join(map(repr, retired))}) AND d.subject_id = e.subject_id
                AND d.index < (SELECT min(index) FROM audit_ledgerentry WHERE kind LIKE '%.adopted'))"""
