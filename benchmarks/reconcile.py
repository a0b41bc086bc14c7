"""How long a reconciliation of the database takes, with many jobs and many objects whose state is on record.

Runs in a PostgreSQL of its own, which is gone afterwards. With `--against CHECKOUT` the code of another checkout looks
at the same database, in rounds that take turns; it must know the tables as they are here. The last line is the figures
as JSON.
"""

from benchmarks.own_database import measure

if __name__ == "__main__":
    measure("benchmarks.reconcile_figures", durable=False)
