"""Reading the catalogue: which consent is in force, and which assets a partner may see."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BooleanField,
    Case,
    CharField,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    UUIDField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce

from governance.catalog.choices import ConsentSource, ConsentState, GrantKind
from governance.catalog.models import Asset, ConsentGrant, ConsentLevelVersion, Creator
from governance.catalog.types import EffectiveConsent

UPLOADED_BY_PARTNER = "partner"

_Governing = Mapping[tuple[UUID, UUID | None], ConsentGrant]


def effective_consent(*, asset: Asset, at: datetime) -> EffectiveConsent:
    """Return the consent in force for one asset; see `effective_consents`."""
    return effective_consents([asset], at)[asset.id]


def effective_consents(assets: Collection[Asset], at: datetime) -> dict[UUID, EffectiveConsent]:
    """Return the consent in force for each asset, by asset id, in two queries however many assets there are.

    The newest statement that has begun governs: the asset's own, or the creator's default where the asset never had
    one of its own. A statement with immediate effect has begun once it is recorded, even for a caller whose clock is
    behind, so that no withdrawal is overlooked; it permits nothing before its start by that clock.

    Replaces `asset.creator` with the row read here, so that status, region and epoch are of one moment.
    """
    creators = Creator.objects.in_bulk({asset.creator_id for asset in assets})
    governing = _governing(assets, at)
    found: dict[UUID, EffectiveConsent] = {}
    for asset in assets:
        asset.creator = creators[asset.creator_id]
        own = governing.get((asset.creator_id, asset.id))
        source = ConsentSource.DEFAULT if own is None else ConsentSource.OWN
        grant = own or governing.get((asset.creator_id, None))
        found[asset.id] = _effective(grant, source, at, asset.creator.consent_epoch)
    return found


def visible_assets(*, partner_id: UUID, datasets: Collection[str] | None = None) -> QuerySet[Asset]:
    """Return the assets that a partner may see: its own uploads, and all that no partner uploaded.

    `datasets` leaves only those of the datasets with these slugs; None leaves all.
    """
    own = Q(uploaded_by_type=UPLOADED_BY_PARTNER, uploaded_by_id=str(partner_id))
    seen = Asset.objects.filter(own | ~Q(uploaded_by_type=UPLOADED_BY_PARTNER)).select_related("creator", "dataset")
    return seen if datasets is None else seen.filter(dataset__slug__in=datasets)


def with_governing_consent(assets: QuerySet[Asset], *, at: datetime) -> QuerySet[Asset]:
    """Return the assets with the alias `governing_consent`: the id of the statement that governs each, or null.

    `id_text` is the id as policies compare it. The SQL counterpart of `effective_consents`; a property-based
    test compares the two.
    """
    newest = ConsentGrant.objects.filter(_begun(at)).order_by("-epoch").values("id")
    own = Subquery(newest.filter(asset=OuterRef("pk"))[:1])
    default = Subquery(newest.filter(creator=OuterRef("creator_id"), asset=None)[:1])
    governing = Coalesce(own, default, output_field=UUIDField())
    return assets.alias(governing_consent=governing, id_text=Cast("id", TextField()))


def governing_statements(*, at: datetime) -> QuerySet[ConsentGrant]:
    """Return, for use in a subquery of `with_governing_consent`, the statement that governs the outer asset.

    The aliases `state`, `pairs`, `any_region` and `any_partner` are those of `EffectiveConsent`.
    """
    active = Q(valid_from__lte=at) & (Q(valid_until=None) | Q(valid_until__gt=at))
    state = Case(
        When(kind=GrantKind.WITHDRAWAL, then=Value(ConsentState.WITHDRAWN.value)),
        When(valid_until__lte=at, then=Value(ConsentState.EXPIRED.value)),
        When(active, then=Value(ConsentState.ACTIVE.value)),
        default=Value(ConsentState.NONE.value),
        output_field=CharField(),
    )
    return ConsentGrant.objects.filter(pk=OuterRef("governing_consent")).alias(
        state=state,
        pairs=Case(
            When(Q(kind=GrantKind.GRANT) & active, then=F("level_version__effective")),
            default=Value([], output_field=ArrayField(TextField())),
            output_field=ArrayField(TextField()),
        ),
        any_region=ExpressionWrapper(Q(regions=[]), output_field=BooleanField()),
        any_partner=ExpressionWrapper(Q(partners_allowed=[]), output_field=BooleanField()),
    )


def covers_pair(pair: str) -> Q:
    """Return whether a statement of `governing_statements` permits "action:purpose", by one look at all versions."""
    versions = ConsentLevelVersion.objects.filter(effective__contains=[pair]).order_by().values("pk")
    return Q(state=ConsentState.ACTIVE) & Q(level_version__in=versions)


def _begun(at: datetime) -> Q:
    return Q(valid_from__lte=at) | Q(valid_from__lte=F("created_at"))


def _governing(assets: Collection[Asset], at: datetime) -> _Governing:
    own = Q(asset__in=[asset.id for asset in assets])
    default = Q(asset=None, creator__in={asset.creator_id for asset in assets})
    newest = (
        ConsentGrant.objects.filter(_begun(at), own | default)
        .select_related("level", "level_version")
        .order_by("creator_id", "asset_id", "-epoch")
        .distinct("creator_id", "asset_id")
    )
    return {(grant.creator_id, grant.asset_id): grant for grant in newest}


def _state(grant: ConsentGrant, at: datetime) -> ConsentState:
    if grant.kind == GrantKind.WITHDRAWAL:
        return ConsentState.WITHDRAWN
    if grant.valid_until is not None and grant.valid_until <= at:
        return ConsentState.EXPIRED
    return ConsentState.ACTIVE if grant.valid_from <= at else ConsentState.NONE


def _effective(grant: ConsentGrant | None, source: ConsentSource, at: datetime, epoch: int) -> EffectiveConsent:
    if grant is None:
        return EffectiveConsent(ConsentState.NONE, ConsentSource.NONE, epoch)
    state = _state(grant, at)
    version = grant.level_version
    permitted = version.effective if version is not None and state is ConsentState.ACTIVE else ()
    return EffectiveConsent(
        state=state,
        source=source,
        epoch=epoch,
        grant_id=grant.id,
        level=grant.level.slug if grant.level else None,
        level_version=version.number if version is not None else None,
        pairs=frozenset(pair_of(text) for text in permitted),
        regions=tuple(grant.regions),
        partners_allowed=tuple(grant.partners_allowed),
        partners_excluded=tuple(grant.partners_excluded),
    )


def pair_of(text: str) -> tuple[str, str]:
    """Return the (action, purpose) of a pair that is written "action:purpose"."""
    action, _, purpose = text.partition(":")
    return action, purpose
