"""Turns a subject, an action, a resource and a context of the Authorization API into questions to policy.

Subjects are API clients: a partner's enforcement point asks about its own clients, one of the operator's about any.
Nothing outside the asker's token exists for it; about other clients, the token must cover action and purpose as well.
What is unknown and what the asker may not ask about look the same: they are denied, not errors.
"""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from governance.api.authzen.types import Context, Entity
from governance.api.errors import NotCovered
from governance.catalog.models import Asset
from governance.catalog.queries import visible_assets
from governance.decisions.questions import about_asset, about_model
from governance.decisions.types import AccessContext, QuestionSet
from governance.kernel import clock
from governance.kernel.reason_codes import ReasonCode
from governance.kernel.vocabulary import Action, Purpose
from governance.partners.models import ApiClient
from governance.partners.types import Coverage, TokenGrant
from governance.registry.models import Model, ModelVersion
from governance.registry.queries import available_models, resolve_version

CLIENT, ASSET, MODEL = "client", "asset", "model"
_PURPOSES = frozenset(Purpose)


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """Why there is nothing to ask policy about. `status` is the HTTP status that it would be on its own."""

    status: int
    code: str
    message: str


def clients_for(grant: TokenGrant) -> QuerySet[ApiClient]:
    """Return the clients that the bearer of a token may ask about."""
    clients = ApiClient.objects.select_related("partner__tier")
    internal = grant.partner.slug in settings.ASSENT_INTERNAL_PARTNERS
    return clients if internal else clients.filter(partner=grant.partner)


def context_for(grant: TokenGrant, subject: Entity, context: Context) -> AccessContext:
    """Return the context of the subject that would act. Raises Refusal."""
    if subject["type"] != CLIENT:
        raise Refusal(404, "subject_unknown", f"There is no subject of the type '{CLIENT}' with this id.")
    client = clients_for(grant).filter(client_id=subject["id"]).first()
    if client is None:
        raise Refusal(404, "subject_unknown", f"There is no subject of the type '{CLIENT}' with this id.")
    return context_of_client(grant, client, context)


def context_of_client(grant: TokenGrant, client: ApiClient, context: Context) -> AccessContext:
    """Return the context of a client that acts: by the request's token for itself, else by all that it may have."""
    own = client.pk == grant.client.pk
    return AccessContext(
        partner=client.partner,
        client_id=client.client_id,
        token=grant.coverage if own else Coverage.of_client(client),
        purpose=purpose_in(context) if own else _covered_purpose(grant, purpose_in(context)),
        at=clock.now(),
    )


def require_action(grant: TokenGrant, context: AccessContext, action: str) -> None:
    """Raise Refusal where a token asks about another client's action that it does not cover itself."""
    if context.client_id != grant.client.client_id and action not in grant.actions:
        raise Refusal(403, NotCovered.code, f"The token does not cover the action '{action}'.")


def _covered_purpose(grant: TokenGrant, purpose: Purpose) -> Purpose:
    if purpose not in grant.purposes:
        raise Refusal(403, NotCovered.code, f"The token does not cover the purpose '{purpose}'.")
    return purpose


def purpose_in(context: Context) -> Purpose:
    """Return the purpose that the context names. Raises Refusal."""
    purpose = context.get("purpose", "")
    if purpose not in _PURPOSES:
        known = ", ".join(Purpose)
        raise Refusal(400, "purpose_needed", f"The context must name a purpose: {known}.")
    return Purpose(purpose)


def version_in(grant: TokenGrant, context: Context) -> ModelVersion | None:
    """Return the version that serves the model which the context names, if it names one. Raises Refusal."""
    slug = context.get("model")
    return None if slug is None else _version(grant, slug)


def question_for(
    *, grant: TokenGrant, context: AccessContext, action: str, resource: Entity, version: ModelVersion | None
) -> QuestionSet:
    """Return the question about one resource. Raises Refusal for what is unknown, or outside the asker's token."""
    if action not in frozenset(Action) or not action.startswith(f"{resource['type']}."):
        raise Refusal(404, ReasonCode.ACTION_UNKNOWN, f"There is no action '{action}' on a resource of this type.")
    require_action(grant, context, action)
    if resource["type"] == MODEL:
        return about_model(context=context, action=Action(action), version=_version(grant, resource["id"]))
    asset = None
    if resource["type"] == ASSET and (key := _uuid(resource["id"])):
        asset = assets_for(grant, context).filter(id=key).first()
    if asset is None:
        raise Refusal(404, "resource_unknown", "There is no such resource for this subject.")
    return about_asset(context=context, action=Action(action), asset=asset, version=version)


def actions_on(resource_type: str) -> list[Action]:
    """Return the actions that can be done with a type of resource; none for an unknown type."""
    return [action for action in Action if resource_type in (ASSET, MODEL) and action.startswith(f"{resource_type}.")]


def assets_for(grant: TokenGrant, context: AccessContext) -> QuerySet[Asset]:
    """Return the works that the subject may know of and that the asker's token covers."""
    return visible_assets(partner_id=context.partner.id, datasets=grant.datasets)


def models_for(grant: TokenGrant) -> QuerySet[Model]:
    """Return the models that the asker's token covers."""
    models = available_models()
    return models if grant.models is None else models.filter(slug__in=grant.models)


def _version(grant: TokenGrant, slug: str) -> ModelVersion:
    if not models_for(grant).filter(slug=slug).exists():
        raise Refusal(404, "resource_unknown", "There is no such model.")
    return resolve_version(model_slug=slug, ref=None)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
