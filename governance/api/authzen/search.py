"""Searches of the Authorization API (section 8): every result would be permitted if it were evaluated now."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from governance.api.authzen.questions import (
    ASSET,
    CLIENT,
    Refusal,
    actions_on,
    assets_for,
    clients_for,
    context_for,
    context_of_client,
    models_for,
    question_for,
    require_action,
    version_in,
)
from governance.api.authzen.serializers import DEFAULT_PAGE
from governance.api.authzen.types import ActionSearch, Entity, EvaluationRequest, Paged, Results
from governance.api.errors import QueryInvalid
from governance.decisions.errors import ModelNeeded
from governance.decisions.permitted import permitted_assets, permitted_models
from governance.decisions.questions import ACTIONS_WITH_A_MODEL
from governance.decisions.services import answer_questions
from governance.decisions.types import AccessContext
from governance.kernel.vocabulary import Action
from governance.partners.models import ApiClient
from governance.partners.types import TokenGrant
from governance.registry.models import ModelVersion

_CLIENTS_AT_ONCE = 50


def resources(*, grant: TokenGrant, asked: EvaluationRequest) -> Results:
    """Return a page of the resources with which the subject may do the action: one permitted-set query."""
    kind, name, context = asked["resource"]["type"], asked["action"]["name"], asked.get("context", {})
    if name not in actions_on(kind):
        return _page([], "")
    try:
        access, version = context_for(grant, asked["subject"], context), version_in(grant, context)
        require_action(grant, access, name)
    except Refusal as refusal:
        return _nothing(refusal)
    size, after = _size(asked), _after(asked)
    find = _asset_ids if kind == ASSET else _model_slugs
    found = find(_Search(grant, access, Action(name), version), after, size + 1)
    token = _token(found[size - 1]) if len(found) > size else ""
    return _page([{"type": kind, "id": key} for key in found[:size]], token)


def subjects(*, grant: TokenGrant, asked: EvaluationRequest) -> Results:
    """Return a page of the clients that may do the action with the resource."""
    if asked["subject"]["type"] != CLIENT:
        return _page([], "")
    size = _size(asked)
    try:
        found = [client.client_id for client in islice(_permitted_clients(grant, asked), size + 1)]
    except Refusal as refusal:
        return _nothing(refusal)
    token = _token(found[size - 1]) if len(found) > size else ""
    return _page([{"type": CLIENT, "id": client_id} for client_id in found[:size]], token)


def actions(*, grant: TokenGrant, asked: ActionSearch) -> Results:
    """Return the actions that the subject may do with the resource; there are few, so always on one page."""
    context, resource = asked.get("context", {}), asked["resource"]
    try:
        access, version = context_for(grant, asked["subject"], context), version_in(grant, context)
        found = [name for name in actions_on(resource["type"]) if _permits(grant, access, name, resource, version)]
    except Refusal as refusal:
        return _nothing(refusal)
    return _page([{"name": name.value} for name in found], "")


@dataclass(frozen=True, slots=True)
class _Search:
    """Whose token asks, for whom, about which action, with which model."""

    grant: TokenGrant
    access: AccessContext
    action: Action
    version: ModelVersion | None


def _asset_ids(asked: _Search, after: str | None, limit: int) -> list[str]:
    access, action, version = asked.access, asked.action, asked.version
    if version is None and action in ACTIONS_WITH_A_MODEL:
        raise ModelNeeded(f"The action {action} takes a model; name it in the context.", details={"field": "model"})
    assets = assets_for(asked.grant, access)
    if after is not None:
        assets = assets.filter(id__lt=_as_uuid(after))
    permitted = permitted_assets(assets=assets, action=action, context=access, version=version)
    return [str(asset_id) for asset_id in permitted.order_by("-id").values_list("id", flat=True)[:limit]]


def _model_slugs(asked: _Search, after: str | None, limit: int) -> list[str]:
    models = models_for(asked.grant)
    if after is not None:
        models = models.filter(slug__gt=after)
    permitted = permitted_models(models=models, action=asked.action, context=asked.access)
    return list(permitted.order_by("slug").values_list("slug", flat=True)[:limit])


def _permitted_clients(grant: TokenGrant, asked: EvaluationRequest) -> Iterator[ApiClient]:
    context, name = asked.get("context", {}), asked["action"]["name"]
    version, after = version_in(grant, context), _after(asked) or ""
    while batch := list(clients_for(grant).filter(client_id__gt=after).order_by("client_id")[:_CLIENTS_AT_ONCE]):
        for client in batch:
            if _permits(grant, context_of_client(grant, client, context), name, asked["resource"], version):
                yield client
        after = batch[-1].client_id


def _permits(
    grant: TokenGrant, access: AccessContext, action: str, resource: Entity, version: ModelVersion | None
) -> bool:
    try:
        asked = question_for(grant=grant, context=access, action=action, resource=resource, version=version)
    except Refusal:
        return False
    return answer_questions(asked).permitted


def _nothing(refusal: Refusal) -> Results:
    """Return no results for what is unknown. Raises QueryInvalid where the context lacks what is needed."""
    if refusal.status in (403, 404):
        return _page([], "")
    raise QueryInvalid(refusal.message, details={"field": "context"})


def _page(results: list[dict[str, str]], token: str) -> Results:
    return {"results": results, "page": {"next_token": token, "count": len(results)}}


def _size(asked: Paged) -> int:
    return asked.get("page", {}).get("limit", DEFAULT_PAGE)


def _after(asked: Paged) -> str | None:
    token = asked.get("page", {}).get("token")
    if not token:
        return None
    try:
        return base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise _bad_token() from error


def _as_uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise _bad_token() from error


def _bad_token() -> QueryInvalid:
    return QueryInvalid("The page token is not one of ours.", details={"field": "page.token"})


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode("ascii")).decode("ascii")
