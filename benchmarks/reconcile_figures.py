"""Fills the database that Django's settings name with jobs and works, and times reconciliations of it.

Started by `benchmarks.reconcile` with an empty database. One job goes all the way; the others are copies of all its
rows and entries, with ids of their own. So are works of the one that it reads. Every reconciliation is a process of its
own, so that the code of another checkout can take turns with this one's.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch
from uuid import NAMESPACE_OID, UUID, uuid5

import django

django.setup()

from django.db import connection  # noqa: E402 - models can be imported only after Django's setup

from governance.audit.log.sequencer import sequence_all  # noqa: E402
from governance.audit.models import LedgerEntry  # noqa: E402
from governance.audit.ports import worm_store  # noqa: E402
from governance.audit.stores.filesystem import FilesystemWormStore  # noqa: E402
from scripts.stack.places import ROOT  # noqa: E402
from tests.factories.marketplace import finish, make_marketplace  # noqa: E402

#: What a reconciliation of the database does, in both checkouts.
LOOK = """
import json, time, django
django.setup()
from governance.audit.tally import Tally
from governance.workflows.reconcile.run import database_faults, snapshot
started = time.monotonic()
with snapshot():
    faults = list(database_faults(Tally()))
print(json.dumps([time.monotonic() - started, len(faults), [fault.check for fault in faults[:3]]]))
"""
#: Tables of one job, by the column that says whose row it is; `{job}` and `{ids}` stand for its id, and for all ids.
OF_A_JOB = {
    "decisions_decisionrecord": "job_id = '{job}'",
    "jobs_job": "id = '{job}'",
    "jobs_jobinput": "job_id = '{job}'",
    "jobs_jobevent": "job_id = '{job}'",
    "jobs_outputcandidate": "job_id = '{job}'",
    "jobs_joboutput": "job_id = '{job}'",
    "decisions_permit": "job_id = '{job}'",
    "moderation_moderationverdict": "job_id = '{job}'",
    "audit_evidencerecord": "subject_id = '{job}'",
    "audit_wormreference": "subject_id = '{job}'",
    "audit_receipt": "subject_id IN ({ids})",
    "audit_ledgerentry": "subject_id IN ({ids})",
}
OF_A_WORK = {
    "catalog_asset": "id = '{asset}'",
    "audit_commitmentsalt": "subject_id = '{asset}'",
    "audit_receipt": "subject_id = '{asset}'",
    "audit_ledgerentry": "subject_id = '{asset}'",
}
BATCH = 5_000
#: The last digits of a copied id, until a copy puts its number there.
MARK = "ffffffffffff"
#: The copies are under no checkpoint, and need not be yet.
LATE = {"ASSENT_LOG_PROMISE_SECONDS": str(7 * 86_400)}


@dataclass(frozen=True)
class Round:
    """One reconciliation: seconds, faults, and the checks of the first of them."""

    seconds: float
    faults: int
    checks: list[str]


def main() -> int:
    """Print a table and, last, the figures as one line of JSON."""
    options = _options()
    _fill(jobs=options.jobs, works=options.works)
    checkouts = {"here": ROOT} | ({"against": options.against.resolve()} if options.against else {})
    rounds: dict[str, list[Round]] = {name: [] for name in checkouts}
    for _ in range(options.rounds):
        for name, folder in checkouts.items():
            rounds[name].append(_look(folder))
    medians = {name: statistics.median(each.seconds for each in found) for name, found in rounds.items()}
    print(f"{'checkout':>10} {'median s':>9} {'least s':>9} {'faults':>7}")
    for name, found in rounds.items():
        least = min(each.seconds for each in found)
        print(f"{name:>10} {medians[name]:>9.2f} {least:>9.2f} {found[-1].faults:>7} {', '.join(found[-1].checks)}")
    figures = {
        "bench": "reconcile",
        "jobs": options.jobs,
        "works": options.works,
        "entries": LedgerEntry.objects.count(),
        "seconds": {name: round(median, 2) for name, median in medians.items()},
        # Of each pair by itself: what else the machine does disturbs both of them alike.
        "ratio": _ratio(rounds),
        "faults": {name: found[-1].faults for name, found in rounds.items()},
    }
    print(json.dumps(figures))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-reconcile", description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000, help="how many jobs there are")
    parser.add_argument("--works", type=int, default=0, help="how many more works, each with its state on record")
    parser.add_argument("--rounds", type=int, default=5, help="reconciliations of each checkout in turn")
    parser.add_argument("--against", type=Path, help="another checkout, whose code looks at the same database")
    return parser.parse_args()


def _ratio(rounds: dict[str, list[Round]]) -> float | None:
    if "against" not in rounds:
        return None
    pairs = zip(rounds["here"], rounds["against"], strict=True)
    return round(statistics.median(here.seconds / against.seconds for here, against in pairs), 2)


def _look(checkout: Path) -> Round:
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", LOOK], cwd=checkout, env=os.environ | LATE, check=True, stdout=subprocess.PIPE, text=True
    )
    return Round(*json.loads(done.stdout.splitlines()[-1]))


def _fill(*, jobs: int, works: int) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        worm_store.override(FilesystemWormStore(Path(folder))),
        patch("celery.current_app.send_task"),
    ):
        market = make_marketplace()
        job = str(finish(market.submit().job.id).id)
        sequence_all()
    _copy(OF_A_JOB, {"job": job, "asset": str(market.asset.id)}, times=jobs - 1, named=job)
    asset = str(market.asset.id)
    _copy(OF_A_WORK, {"job": job, "asset": asset}, times=works, named=asset)
    _execute("VACUUM ANALYZE")


def _copy(tables: dict[str, str], given: dict[str, str], *, times: int, named: str) -> None:
    """Copy the rows of one thing many times, each copy with ids of its own wherever they stand."""
    quoted = ", ".join(f"'{each}'" for each in _ids(named))
    where = {table: condition.format(**given, ids=quoted) for table, condition in tables.items()}
    for table, condition in where.items():
        _execute(f"CREATE TEMP TABLE copied_{table} AS SELECT * FROM {table} WHERE {condition}")
    own = [*_ids(named), *_column(where, "audit_ledgerentry", "entry_id"), *_column(where, "audit_receipt", "id")]
    tokens = {*own, *_keys(where), *_column(where, "audit_wormreference", "uri")}
    _execute(_marking(tokens))
    for table in where:
        _execute(_model(table))
    for start in range(1, times + 1, BATCH):
        for table in where:
            _execute(_insert(table), start, min(start + BATCH - 1, times))
    for table in where:
        _execute(f"DROP TABLE copied_{table}, model_{table}")


def _ids(named: str) -> list[str]:
    """Return the ids by which entries name a thing and what belongs to it."""
    decisions = _rows("SELECT id::text FROM decisions_decisionrecord WHERE job_id::text = %s", named)
    permits = _rows("SELECT id::text FROM decisions_permit WHERE job_id::text = %s", named)
    return [named, *decisions, *permits]


def _keys(tables: Iterable[str]) -> list[str]:
    """Return the keys of the copied rows that are UUIDs."""
    uuid_keys = _rows(
        "SELECT table_name FROM information_schema.columns WHERE column_name = 'id' AND data_type = 'uuid'"
        " AND table_name = ANY(%s)",
        list(tables),
    )
    return [key for table in uuid_keys for key in _rows(f"SELECT id::text FROM copied_{table}")]


def _column(tables: Iterable[str], table: str, column: str) -> list[str]:
    return _rows(f"SELECT {column}::text FROM copied_{table}") if table in tables else []


def _marking(tokens: set[str]) -> str:
    """Return the SQL function that puts a mark into every id of its own in a text, where copies have their number."""
    text = "$1"
    for token in sorted(tokens):
        named = f"{token}-{MARK}" if "/" in token or ":" in token else f"{uuid5(NAMESPACE_OID, token).hex[:20]}{MARK}"
        fresh = named if "/" in token or ":" in token else str(UUID(named))
        text = f"replace({text}, '{token}', '{fresh}')"
    return f"""CREATE OR REPLACE FUNCTION bench_marked(text) RETURNS text
        LANGUAGE sql IMMUTABLE AS $body$ SELECT {text} $body$"""


def _model(table: str) -> str:
    """Return the statement that keeps what the copies of a table's rows are made from."""
    body = "bench_marked(convert_from(body, 'UTF8'))" if table == "audit_ledgerentry" else "NULL::text"
    # The facts of a decision keep their digest, so they stay as they are.
    same = "jsonb_build_object('evaluations', evaluations)" if table == "decisions_decisionrecord" else "'{}'::jsonb"
    return f"""CREATE TEMP TABLE model_{table} AS
        SELECT bench_marked(to_jsonb(x)::text) AS text, {body} AS body, {same} AS same,
            row_number() OVER (ORDER BY {_number(table) or "1"}) AS turn FROM copied_{table} AS x"""


def _insert(table: str) -> str:
    """Return the statement that adds the copies from one number to another."""
    changed, number = "m.same", _number(table)
    if number:
        top = f"(SELECT coalesce(max({number}), 0) FROM {table})"
        place = f"{top} + (n - %(start)s) * (SELECT count(*) FROM model_{table}) + m.turn"
        changed += f" || jsonb_build_object('{number}', {place})"
    if table == "audit_ledgerentry":
        body = rf"'\x' || encode(convert_to(replace(m.body, '{MARK}', mark), 'UTF8'), 'hex')"
        changed += f" || jsonb_build_object('body', {body})"
    if table == "jobs_job":
        changed += " || jsonb_build_object('idempotency_key', 'copy-' || n)"
    return f"""INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, copy)).* FROM (
        SELECT replace(m.text, '{MARK}', mark)::jsonb || {changed} AS copy
        FROM generate_series(%(start)s, %(end)s) AS n CROSS JOIN lpad(to_hex(n), {len(MARK)}, '0') AS mark
        CROSS JOIN model_{table} AS m
    ) AS copies"""


def _number(table: str) -> str:
    """Return the column that counts the rows of a table up, or nothing."""
    found = _rows(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND data_type = 'bigint'"
        " AND column_name IN ('id', 'index')",
        table,
    )
    return found[0] if found else ""


def _rows(sql: str, *values: object) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [row[0] for row in cursor.fetchall()]


def _execute(sql: str, *span: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, dict(zip(("start", "end"), span, strict=True)) if span else None)


if __name__ == "__main__":
    raise SystemExit(main())
