"""Fills the database that Django's settings name with a large marketplace, and times permitted-set queries in it.

Started by `benchmarks.permitted` with an empty database.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import django

django.setup()

from django.db import connection  # noqa: E402 - models can be imported only after Django's setup
from django.db.models import QuerySet  # noqa: E402

from governance.audit.types import Actor  # noqa: E402
from governance.catalog.models import Asset  # noqa: E402
from governance.catalog.queries import effective_consent, visible_assets  # noqa: E402
from governance.decisions.facts import asset_facts, common_facts, model_facts  # noqa: E402
from governance.decisions.permitted import permitted_assets  # noqa: E402
from governance.decisions.types import AccessContext  # noqa: E402
from governance.engines.ports import policy_engine  # noqa: E402
from governance.engines.types import Effect, EngineRequest  # noqa: E402
from governance.kernel import clock  # noqa: E402
from governance.kernel.vocabulary import Action, Purpose  # noqa: E402
from governance.partners.partners import create_partner  # noqa: E402
from governance.partners.tiers import create_tier  # noqa: E402
from governance.partners.types import Coverage  # noqa: E402
from governance.registry.models import Licence, Model, ModelVersion  # noqa: E402
from governance.rulebook.activation import publish_without_review  # noqa: E402
from governance.rulebook.queries import active_program  # noqa: E402

PAGE = 50
RUNS = 15
ONE_BY_ONE = 300

FILL = """
INSERT INTO catalog_dataset (id, slug, name, description)
SELECT uuidv7(), 'dataset-' || n, 'Dataset ' || n, '' FROM generate_series(1, 50) n;

WITH made AS (
    SELECT uuidv7() AS level, uuidv7() AS version, n, ARRAY(
        SELECT a || ':' || p FROM unnest(ARRAY['asset.infer', 'asset.train']) a,
            unnest(ARRAY['research', 'non_commercial', 'commercial']) p
        WHERE (a = 'asset.infer' AND (p = 'research' OR n > 2)) OR (a = 'asset.train' AND n > 1 AND p = 'research')
    ) AS pairs FROM generate_series(1, 4) n
), levels AS (
    INSERT INTO catalog_consentlevel (id, slug, in_force_id) SELECT level, 'level-' || n, version FROM made
)
INSERT INTO catalog_consentlevelversion (id, level_id, number, name, rank, description, pairs, effective, created_at)
SELECT version, level, 1, 'Level ' || n, n, '', pairs, pairs, now() FROM made;

INSERT INTO catalog_creator
    (uploaders, id, slug, display_name, email, status_reason, region, status, consent_epoch, created_at)
SELECT '{{}}', uuidv7(), 'creator-' || n, 'Creator ' || n, '', '', (ARRAY['DE', 'FR', 'SE', 'US'])[1 + n % 4],
    CASE WHEN n % 25 = 0 THEN 'suspended' ELSE 'active' END, 1, now()
FROM generate_series(1, {creators}) n;

INSERT INTO catalog_asset (id, creator_id, dataset_id, title, media_type, size, sha256, object_name, width, height,
    tags, status, status_reason, uploaded_by_type, uploaded_by_id, created_at)
SELECT uuidv7(), c.id, d.id, 'Work ' || n, 'image/png', 1000, encode(sha256(n::text::bytea), 'hex'), 'sha256/' || n,
    640, 480, ARRAY['tag-' || n % 7], CASE WHEN n % 50 = 0 THEN 'quarantined' ELSE 'active' END, '', 'user', 'editor',
    now()
FROM generate_series(1, {assets}) n
JOIN (SELECT id, row_number() OVER (ORDER BY slug) - 1 AS place FROM catalog_creator) c
    ON c.place = (n::bigint * 7919) % {creators}
LEFT JOIN (SELECT id, row_number() OVER (ORDER BY slug) AS place FROM catalog_dataset) d ON d.place = n % 60;

-- Of ten creators, one has said nothing, one has withdrawn, two give training to some regions or not to everybody.
INSERT INTO catalog_consentgrant (id, kind, creator_id, asset_id, level_id, level_version_id, regions,
    partners_allowed, partners_excluded, valid_from, valid_until, method, evidence_digest, epoch, recorded_by_type,
    recorded_by_id, created_at)
SELECT uuidv7(), CASE WHEN place % 10 = 1 THEN 'withdrawal' ELSE 'grant' END, c.id, NULL,
    CASE WHEN place % 10 <> 1 THEN l.level_id END, CASE WHEN place % 10 <> 1 THEN l.id END,
    CASE WHEN place % 10 = 2 THEN ARRAY['FR', 'US'] ELSE '{{}}' END, '{{}}',
    CASE WHEN place % 10 = 3 THEN ARRAY['lumen'] ELSE '{{}}' END, now() - interval '1 day',
    CASE WHEN place % 10 = 4 THEN now() - interval '1 hour' END, 'console', '', 1, 'user', 'editor', now()
FROM (SELECT id, row_number() OVER (ORDER BY slug) AS place FROM catalog_creator) c
JOIN catalog_consentlevelversion l ON l.rank = 1 + place % 4 WHERE place % 10 <> 0;

-- One work in twenty has a statement of its own.
INSERT INTO catalog_consentgrant (id, kind, creator_id, asset_id, level_id, level_version_id, regions,
    partners_allowed, partners_excluded, valid_from, method, evidence_digest, epoch, recorded_by_type, recorded_by_id,
    created_at)
SELECT uuidv7(), 'grant', creator_id, a.id, l.level_id, l.id, '{{}}', '{{}}', '{{}}', now() - interval '1 day',
    'console', '', 2, 'user', 'editor', now()
FROM (SELECT id, creator_id, row_number() OVER () AS place FROM catalog_asset) a
JOIN catalog_consentlevelversion l ON l.rank = 1 + (place / 20) % 4 WHERE place % 20 = 0;
"""


def fill(*, assets: int, creators: int) -> None:
    """Make creators, consent and works; every statement is one sweep of SQL."""
    with connection.cursor() as cursor:
        for statement in FILL.split(";\n"):
            if statement.strip():
                cursor.execute(statement.format(assets=assets, creators=creators))
        cursor.execute("ANALYZE")


def asker() -> AccessContext:
    """Return a partner who may ask for everything."""
    bench = Actor("system", "bench")
    tier = create_tier(slug="production", name="Production", requests_per_minute=600, max_open_jobs=100, actor=bench)
    partner = create_partner(slug="lumen", name="Lumen", tier=tier, region="DE", actor=bench)
    everything = Coverage(frozenset(Action), frozenset(Purpose), None, None)
    return AccessContext(partner, "bench", everything, Purpose.RESEARCH, clock.now())


def any_version() -> ModelVersion:
    """Return a version for the facts of asking one by one; it is in no database."""
    licence = Licence(slug="open", purposes=list(Purpose))
    return ModelVersion(model=Model(slug="any", task="upscale", owner="any", licence=licence), stage="production")


def milliseconds(job: Callable[[], object], *, runs: int) -> float:
    """Return the median time of one run."""
    taken = []
    for _ in range(runs):
        begun = time.perf_counter()
        job()
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


class Bench:
    """The list of what one partner may train on."""

    def __init__(self) -> None:
        self.context = asker()
        self.version = any_version()

    def permitted(self) -> QuerySet[Asset]:
        """Return the list as the API makes it."""
        rows = visible_assets(partner_id=self.context.partner.id)
        return permitted_assets(assets=rows, action=Action.ASSET_TRAIN, context=self.context).order_by("-id")

    def first_page(self) -> list[Asset]:
        """Return the first page, and the row that says whether there is another."""
        return list(self.permitted()[: PAGE + 1])

    def later_page(self, after: Asset) -> list[Asset]:
        """Return a page from the middle of the list."""
        return list(self.permitted().filter(id__lt=after.id)[: PAGE + 1])

    def one_by_one(self, asset: Asset) -> bool:
        """Return what the engine says about one work, its facts gathered for it alone."""
        facts = common_facts(self.context, Action.ASSET_TRAIN) | model_facts(self.version, self.context.at)
        consent = effective_consent(asset=asset, at=self.context.at)
        facts |= asset_facts(asset, consent, f"{Action.ASSET_TRAIN}:{self.context.purpose}")
        [answer] = policy_engine.get().evaluate(
            program=active_program(), requests=[EngineRequest(Action.ASSET_TRAIN.value, facts)]
        )
        return answer.effect is Effect.PERMIT


def main() -> None:
    """Print a table, and the figures as JSON in the last line."""
    parser = argparse.ArgumentParser(description="Time permitted-set queries.")
    parser.add_argument("--assets", type=int, default=1_000_000)
    parser.add_argument("--creators", type=int, default=20_000)
    chosen = parser.parse_args()
    begun = time.perf_counter()
    fill(assets=chosen.assets, creators=chosen.creators)
    publish_without_review(actor=Actor("system", "benchmark"), note="benchmark")
    print(f"{chosen.assets:,} works of {chosen.creators:,} creators made in {time.perf_counter() - begun:.0f} s")
    bench = Bench()
    first = milliseconds(bench.first_page, runs=RUNS)
    middle = visible_assets(partner_id=bench.context.partner.id).order_by("-id")[chosen.assets // 2]
    later = milliseconds(lambda: bench.later_page(middle), runs=RUNS)
    permitted = bench.permitted().count()
    count = milliseconds(lambda: bench.permitted().count(), runs=1)
    looked_at = list(visible_assets(partner_id=bench.context.partner.id).order_by("-id")[:ONE_BY_ONE])
    begun = time.perf_counter()
    agreed = {asset.id for asset in looked_at if bench.one_by_one(asset)}
    per_item = (time.perf_counter() - begun) * 1000 / len(looked_at)
    listed = {asset.id for asset in bench.permitted().filter(id__gte=looked_at[-1].id)}
    if listed != agreed:
        raise SystemExit("The query and the engine do not agree.")
    print(f"permitted             {permitted:>12,} of {chosen.assets:,}")
    print(f"first page of {PAGE}      {first:>12.1f} ms")
    print(f"page from the middle  {later:>12.1f} ms")
    print(f"count of all          {count:>12.1f} ms")
    print(f"engine, one work      {per_item:>12.2f} ms (of {len(looked_at)}, {len(agreed)} permitted: those listed)")
    figures = {
        "bench": "permitted",
        "assets": chosen.assets,
        "first_page_ms": round(first, 2),
        "count_ms": round(count, 1),
        "per_item_ms": round(per_item, 3),
        # How many times longer the engine takes for as many works as a page shows.
        "ratio": round(per_item * PAGE / first, 1),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
