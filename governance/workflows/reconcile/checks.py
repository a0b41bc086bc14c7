"""The form of a check: one question to the database that answers with what is wrong, however many rows there are."""

from collections.abc import Mapping
from dataclasses import dataclass, field

_KEEP = "Keep the database as it is and find out who wrote to it behind the application."

#: What to do, by the end of a check's code.
REMEDIES = {
    "unrecorded": f"It was written without its entry, or the entry was removed. {_KEEP} Compare it with a backup.",
    "removed": f"The row was removed; the log still tells of it. {_KEEP} Restore the row from a backup.",
    "differs": f"The log counts, not the row. {_KEEP} Restore the row from a backup.",
}


@dataclass(frozen=True, slots=True)
class Check:
    """A question whose every answer is a fault: `sql` selects the check's code, the subject and the message."""

    sql: str
    remedies: Mapping[str, str]


def check(code: str, *, subject: str, message: str, found: str, remedy: str) -> Check:
    """Return the check `code`; `subject` and `message` are SQL expressions over the rows that `found` selects from."""
    return Check(sql=f"SELECT '{code}', {subject}, {message} {found}", remedies={code: remedy})


@dataclass(frozen=True, slots=True)
class Pairing:
    """Rows and entries that belong together one to one.

    `rows` selects `key`, `ord` (the order among equal keys) and what `differs` compares; `entries` is a condition on
    the kind of entry, `key` an expression over the entry `e`. `differs` names, by field, an expression over the row `r`
    and one over the entry `e` that must be equal.
    """

    code: str
    noun: str
    rows: str
    entries: str
    key: str
    differs: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def check(self) -> Check:
        """Return the check with the codes `…_unrecorded`, `…_removed` and `…_differs`."""
        return Check(sql=self._sql(), remedies={f"{self.code}_{end}": remedy for end, remedy in REMEDIES.items()})

    def _sql(self) -> str:
        unequal = {name: f"{row} IS DISTINCT FROM {entry}" for name, (row, entry) in self.differs.items()}
        return f"""
        WITH {entries_where(self.entries)},
        kept AS (SELECT *, row_number() OVER (PARTITION BY key ORDER BY ord) AS turn FROM ({self.rows}) AS found),
        told AS (
            SELECT e.*, {self.key} AS key, row_number() OVER (PARTITION BY {self.key} ORDER BY e.place) AS turn
            FROM entries AS e WHERE {self.key} IS NOT NULL
        ),
        paired AS (
            SELECT '{self.noun} ' || coalesce(r.key, e.key) AS subject, e.name,
                   r.key IS NULL AS removed, e.key IS NULL AS unrecorded,
                   concat_ws(', ', {differing(unequal)}) AS fields
            FROM kept AS r FULL JOIN told AS e ON r.key = e.key AND r.turn = e.turn
        )
        SELECT CASE WHEN unrecorded THEN '{self.code}_unrecorded' WHEN removed THEN '{self.code}_removed'
                    ELSE '{self.code}_differs' END,
               subject,
               CASE WHEN unrecorded THEN 'The log has no entry for it.'
                    WHEN removed THEN name || ' tells of it; there is no row.'
                    ELSE name || ' says otherwise in: ' || fields || '.' END
        FROM paired WHERE unrecorded OR removed OR fields <> ''
        """


def differing(conditions: Mapping[str, str]) -> str:
    """Return the arguments of `concat_ws` that name each field for which its condition holds."""
    return ", ".join(["NULL", *(f"CASE WHEN {condition} THEN '{name}' END" for name, condition in conditions.items())])


def entries_where(condition: str) -> str:
    """Return the common table expression `entries`: entries with a place and entries that wait, and what they say.

    `place` puts them in order, `data` is NULL for bytes that are no entry; those are a fault of the ledger itself.
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


def one_of(*kinds: str) -> str:
    """Return the condition that an entry is of one of these kinds."""
    return f"kind IN ({', '.join(repr(kind) for kind in kinds)})"


def moment(expression: str) -> str:
    """Return an expression that reads a JSON text as a moment."""
    return f"({expression})::timestamptz"
