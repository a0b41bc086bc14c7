"""How long it takes to find what a partner may train on, among a million works.

Makes a marketplace by SQL in a PostgreSQL of its own, which is gone afterwards, and times there the list that
`GET /api/v1/assets?permitted_for=asset.train&purpose=research` shows. The last line is the figures as JSON.
"""

from benchmarks.own_database import measure

if __name__ == "__main__":
    measure("benchmarks.permitted_figures", durable=False)
