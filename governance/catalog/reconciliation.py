"""What the ledger says of consent, creators and works must match their rows."""

from governance.audit.recording.reconciling import (
    Pairing,
    check,
    declare_checks,
    declare_counted,
    declare_kept,
    moment,
)
from governance.catalog.entries import (
    AssetRegistered,
    ConsentGranted,
    ConsentLevelAdopted,
    ConsentLevelVersionInForce,
    ConsentWithdrawn,
    CreatorErased,
)
from governance.catalog.models import Asset, ConsentGrant, ConsentLevel, ConsentLevelProposal, Creator

GRANTS = Pairing(
    code="consent_grant",
    noun="consent grant",
    rows="""SELECT g.id::text AS key, g.epoch AS ord, g.*, l.slug AS level,
            v.number AS version, g.recorded_by_type || ':' || g.recorded_by_id AS actor
            FROM catalog_consentgrant AS g LEFT JOIN catalog_consentlevel AS l ON l.id = g.level_id
            LEFT JOIN catalog_consentlevelversion AS v ON v.id = g.level_version_id
            WHERE g.kind = 'grant'""",
    entries=(ConsentGranted,),
    key="e.data ->> 'statement'",
    differs={
        "creator": ("r.creator_id::text", "e.subject_id"),
        "asset": ("r.asset_id::text", "e.data ->> 'asset'"),
        "level": ("r.level", "e.data ->> 'level'"),
        # A grant from before levels had versions is of version 1.
        "level_version": ("r.version", "coalesce((e.data ->> 'level_version')::numeric, 1)"),
        "regions": ("to_jsonb(r.regions)", "e.data -> 'regions'"),
        "partners_allowed": ("to_jsonb(r.partners_allowed)", "e.data -> 'partners_allowed'"),
        "partners_excluded": ("to_jsonb(r.partners_excluded)", "e.data -> 'partners_excluded'"),
        "valid_from": ("r.valid_from", moment("e.data ->> 'valid_from'")),
        "valid_until": ("r.valid_until", moment("e.data ->> 'valid_until'")),
        "method": ("r.method", "e.data ->> 'method'"),
        "evidence_digest": ("r.evidence_digest", "e.data ->> 'evidence_sha256'"),
        "epoch": ("r.epoch", "(e.data ->> 'epoch')::numeric"),
        "recorded_by": ("r.actor", "e.actor"),
    },
)

# One withdrawal of everything writes a row for each work and one entry for all.
WITHDRAWALS = Pairing(
    code="consent_withdrawal",
    noun="consent withdrawal of creator",
    rows="""SELECT creator_id || ' in epoch ' || epoch AS key, epoch AS ord, count(*) AS statements,
            array_agg(id::text) AS ids, array_agg(DISTINCT method::text) AS methods,
            array_agg(DISTINCT recorded_by_type || ':' || recorded_by_id) AS actors
            FROM catalog_consentgrant WHERE kind = 'withdrawal' GROUP BY creator_id, epoch""",
    entries=(ConsentWithdrawn,),
    key="e.subject_id || ' in epoch ' || (e.data ->> 'epoch')",
    differs={
        "statements": ("r.statements", "(e.data ->> 'statements')::numeric"),
        "id": ("true", "(e.data ->> 'statement') = ANY (r.ids)"),
        "method": ("r.methods", "ARRAY[e.data ->> 'method']"),
        "recorded_by": ("r.actors", "ARRAY[e.actor::text]"),
    },
)

ASSETS = Pairing(
    code="asset",
    noun="asset",
    rows="""SELECT id::text AS key, id AS ord, *, uploaded_by_type || ':' || uploaded_by_id AS uploaded_by
            FROM catalog_asset""",
    entries=(AssetRegistered,),
    key="e.subject_id",
    differs={
        "creator": ("r.creator_id::text", "e.data ->> 'creator'"),
        "sha256": ("r.sha256", "e.data ->> 'sha256'"),
        "size": ("r.size", "(e.data ->> 'size')::numeric"),
        "media_type": ("r.media_type", "e.data ->> 'media_type'"),
        "uploaded_by": ("r.uploaded_by", "e.data ->> 'uploaded_by'"),
    },
)

ERASURES = Pairing(
    code="erasure",
    noun="erasure of creator",
    rows="SELECT id::text AS key, id AS ord FROM catalog_creator WHERE erased_at IS NOT NULL",
    entries=(CreatorErased,),
    key="e.subject_id",
)

# A version 1 from before versions were on record has an entry of its own.
LEVEL_VERSIONS = Pairing(
    code="consent_level_version",
    noun="version of consent level",
    rows="""SELECT level_id || ' version ' || number AS key, created_at AS ord, *
            FROM catalog_consentlevelversion""",
    entries=(ConsentLevelAdopted, ConsentLevelVersionInForce),
    key="e.subject_id || ' version ' || (e.data -> 'after' ->> 'version')",
    differs={
        "name": ("r.name", "e.data -> 'after' ->> 'name'"),
        "rank": ("r.rank", "(e.data -> 'after' ->> 'rank')::numeric"),
        "description": ("r.description", "e.data -> 'after' ->> 'description'"),
        "pairs": ("to_jsonb(r.pairs)", "e.data -> 'after' -> 'pairs'"),
    },
)

LEVELS = check(
    "consent_level_not_newest",
    subject="'consent level ' || l.slug",
    message="'Version ' || v.number || ' is in force, though there is a newer one.'",
    found="""FROM catalog_consentlevel AS l JOIN catalog_consentlevelversion AS v ON v.id = l.in_force_id
        WHERE EXISTS (
            SELECT FROM catalog_consentlevelversion AS w WHERE w.level_id = l.id AND w.number > v.number)""",
    remedy="Creators grant something else than was approved last. Set the newest version in force, and find out who "
    "wrote to the database.",
)

EFFECTIVE = check(
    "consent_level_effective",
    subject="'consent level ' || l.slug || ' version ' || v.number",
    message="'Grants of it permit something else than its pairs without what later versions took away.'",
    found="""FROM catalog_consentlevelversion AS v JOIN catalog_consentlevel AS l ON l.id = v.level_id
        WHERE v.effective IS DISTINCT FROM ARRAY(
            SELECT p.pair FROM unnest(v.pairs) WITH ORDINALITY AS p (pair, place) WHERE NOT EXISTS (
                SELECT FROM catalog_consentlevelversion AS w
                WHERE w.level_id = v.level_id AND w.number > v.number AND NOT p.pair = ANY (w.pairs))
            ORDER BY p.place)""",
    remedy="Creators permit more or less than they agreed to. Narrow the level, and find out who "
    "wrote to the database.",
)

SALTS = check(
    "erasure_incomplete",
    subject="'creator ' || c.id",
    message="'It was erased, but salts of commitments to it are still there.'",
    found="""FROM catalog_creator AS c WHERE c.erased_at IS NOT NULL AND EXISTS (
        SELECT FROM audit_commitmentsalt AS s WHERE s.subject_type = 'creator' AND s.subject_id = c.id::text
        UNION ALL SELECT FROM catalog_asset AS a JOIN audit_commitmentsalt AS s
            ON s.subject_type = 'asset' AND s.subject_id = a.id::text WHERE a.creator_id = c.id)""",
    remedy="Delete these rows of audit_commitmentsalt, and look for a restored backup.",
)

EPOCHS = check(
    "consent_epoch",
    subject="'creator ' || c.id",
    message="'Its consent epoch is ' || c.consent_epoch || ', before that of its newest statement, ' || max(g.epoch)",
    found="""FROM catalog_creator AS c JOIN catalog_consentgrant AS g ON g.creator_id = c.id
        GROUP BY c.id HAVING max(g.epoch) > c.consent_epoch""",
    remedy="Permits from before the newest statement could be valid. Raise the epoch, and find out who lowered it.",
)

declare_checks(GRANTS, WITHDRAWALS, ASSETS, ERASURES, LEVEL_VERSIONS, LEVELS, EFFECTIVE, SALTS, EPOCHS)
declare_counted(consent_statements=ConsentGrant)
declare_kept("asset", Asset)
declare_kept("creator", Creator)
declare_kept("consent_level", ConsentLevel)
declare_kept("consent_level_proposal", ConsentLevelProposal)
