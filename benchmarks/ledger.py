"""How many durable entries the ledger takes, and what a long log costs.

Runs in a PostgreSQL of its own, with fsync, which is gone afterwards. In the same run, writers put single rows into a
plain table with the same columns, for comparison. The last line is the figures as JSON.
"""

from benchmarks.own_database import measure

if __name__ == "__main__":
    measure("benchmarks.ledger_figures", durable=True)
