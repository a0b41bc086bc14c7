"""What a partner sees with a token: its own records, and the works and models that the token covers."""

from django.db.models import QuerySet

from governance.catalog.models import Asset
from governance.catalog.queries import UPLOADED_BY_PARTNER, visible_assets
from governance.decisions.models import DecisionRecord
from governance.decisions.queries import decisions_of
from governance.jobs.queries import jobs_within
from governance.kernel.vocabulary import Purpose
from governance.partners.types import TokenGrant
from governance.registry.models import Model
from governance.registry.queries import available_models


def models_for(grant: TokenGrant) -> QuerySet[Model]:
    """Return the models that the token covers."""
    models = available_models()
    return models if grant.models is None else models.filter(slug__in=grant.models)


def assets_for(grant: TokenGrant) -> QuerySet[Asset]:
    """Return the works that the partner may know of and that the token covers."""
    return visible_assets(partner_id=grant.partner.id, datasets=grant.datasets)


def uploads_of(grant: TokenGrant) -> QuerySet[Asset]:
    """Return the works that the partner itself uploaded and that the token covers."""
    own = {"uploaded_by_type": UPLOADED_BY_PARTNER, "uploaded_by_id": str(grant.partner.id)}
    return assets_for(grant).filter(**own)


def decisions_for(grant: TokenGrant) -> QuerySet[DecisionRecord]:
    """Return the decisions about the partner's jobs, as far as the token covers these."""
    decisions = decisions_of(partner_slug=grant.partner.slug)
    narrowed = grant.models is not None or grant.datasets is not None or not grant.purposes >= set(Purpose)
    return decisions.filter(job_id__in=jobs_within(grant).order_by().values("id")) if narrowed else decisions
