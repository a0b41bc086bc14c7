"""What a partner sees with a token: its own records, and the works and models that the token covers."""

from django.db.models import QuerySet

from governance.catalog.models import Asset
from governance.catalog.queries import UPLOADED_BY_PARTNER, visible_assets
from governance.decisions.models import DecisionRecord
from governance.decisions.queries import decisions_of
from governance.jobs.models import Job
from governance.jobs.queries import jobs_of
from governance.partners.types import TokenGrant
from governance.registry.models import Model
from governance.registry.queries import available_models


def models_for(grant: TokenGrant) -> QuerySet[Model]:
    """Return the models that the token covers."""
    models = available_models()
    return models if grant.models is None else models.filter(slug__in=grant.models)


def assets_for(grant: TokenGrant) -> QuerySet[Asset]:
    """Return the works that the partner may know of and that the token covers."""
    assets = visible_assets(partner_id=grant.partner.id)
    return assets if grant.datasets is None else assets.filter(dataset__slug__in=grant.datasets)


def uploads_of(grant: TokenGrant) -> QuerySet[Asset]:
    """Return the works that the partner itself uploaded and that the token covers."""
    own = {"uploaded_by_type": UPLOADED_BY_PARTNER, "uploaded_by_id": str(grant.partner.id)}
    return assets_for(grant).filter(**own)


def jobs_for(grant: TokenGrant) -> QuerySet[Job]:
    """Return the partner's jobs."""
    return jobs_of(partner_id=grant.partner.id)


def decisions_for(grant: TokenGrant) -> QuerySet[DecisionRecord]:
    """Return the decisions about the partner's jobs."""
    return decisions_of(partner_slug=grant.partner.slug)
