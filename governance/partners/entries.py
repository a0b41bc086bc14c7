"""Kinds of ledger entries of the partners area: slugs, ids, codes and digests, never a secret or a token.

Tiers, partners, API clients, roles and model groups are on record with every change. Before version 0.2
entries about tiers and partners from the console only had `fields`, the names of the changed fields.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from governance.audit.recording.declarations import Entry, entry
from governance.audit.recording.states import RecordedObject, State, StateEntry, recorded_object
from governance.audit.types import SubjectRef
from governance.kernel.canonical import Json, timestamp
from governance.partners.models import AccessToken, ApiClient, ModelGroup, Partner, Role, Tier

Details = Sequence[dict[str, Json]]


def token_ref(token: AccessToken) -> SubjectRef:
    """Return the name of a token in the ledger."""
    return SubjectRef("token", str(token.pk))


#: Recorded where a tier has them: tiers of before have none.
IMAGE_LIMITS = ("max_image_pixels", "max_image_edge", "max_image_ratio", "max_image_parts")


def tier_state(tier: Tier) -> State:
    """Return the recorded state of a tier."""
    return {
        "slug": tier.slug,
        "name": tier.name,
        "requests_per_minute": tier.requests_per_minute,
        "max_open_jobs": tier.max_open_jobs,
        **{name: value for name in IMAGE_LIMITS if (value := getattr(tier, name)) is not None},
    }


def partner_state(partner: Partner) -> State:
    """Return the recorded state of a partner."""
    cut = partner.tokens_valid_after
    return {
        "slug": partner.slug,
        "name": partner.name,
        "tier": partner.tier.slug,
        "region": partner.region,
        "status": str(partner.status),
        "tokens_valid_after": timestamp(cut) if cut else None,
    }


def client_state(client: ApiClient) -> State:
    """Return the recorded state of an API client, without its secret."""
    return {
        "client_id": client.client_id,
        "partner": client.partner.slug,
        "name": client.name,
        "actions": _sorted(client.actions),
        "purposes": _sorted(client.purposes),
        "models": _sorted(client.model_slugs),
        "datasets": _sorted(client.dataset_slugs),
        "roles": _sorted(assignment.role.slug for assignment in client.role_assignments.all()),
        "enabled": client.disabled_at is None,
        "secret_set_at": _moment(client.secret_set_at),
        "earlier_secret_until": _moment(client.earlier_secret_until),
        "keys": [*sorted([key.kid, key.algorithm, key.thumbprint] for key in client.keys.all())],
    }


def role_state(role: Role) -> State:
    """Return the recorded state of a role; a grant is an action, a model and a group, empty for any."""
    permissions = role.permissions.all()
    grants = sorted((each.action, each.model_slug, each.group.slug if each.group else "") for each in permissions)
    return {
        "slug": role.slug,
        "name": role.name,
        "partner": role.partner.slug if role.partner else None,
        "inherits": _sorted(parent.slug for parent in role.inherits.all()),
        "grants": [[*grant] for grant in grants],
    }


def model_group_state(group: ModelGroup) -> State:
    """Return the recorded state of a group of models."""
    return {"slug": group.slug, "name": group.name, "models": _sorted(group.model_slugs)}


def _moment(value: datetime | None) -> str | None:
    return timestamp(value) if value else None


def _sorted(names: Iterable[str]) -> list[Json]:
    return [*sorted(names)]


TIER = recorded_object(
    RecordedObject(
        subject="tier",
        noun="tier",
        rows=Tier.objects.all,
        key=lambda tier: str(tier.pk),
        slug=lambda tier: tier.slug,
        state=tier_state,
    )
)
PARTNER = recorded_object(
    RecordedObject(
        subject="partner",
        noun="partner",
        rows=lambda: Partner.objects.select_related("tier"),
        key=lambda partner: partner.slug,
        slug=lambda partner: partner.slug,
        state=partner_state,
    )
)
CLIENT = recorded_object(
    RecordedObject(
        subject="client",
        noun="API client",
        rows=lambda: ApiClient.objects.select_related("partner").prefetch_related("role_assignments__role", "keys"),
        key=lambda client: str(client.client_id),
        slug=lambda client: str(client.client_id),
        state=client_state,
    )
)
ROLE = recorded_object(
    RecordedObject(
        subject="role",
        noun="role",
        rows=lambda: Role.objects.select_related("partner").prefetch_related("inherits", "permissions__group"),
        key=lambda role: str(role.pk),
        slug=lambda role: role.slug,
        state=role_state,
    )
)
MODEL_GROUP = recorded_object(
    RecordedObject(
        subject="model_group",
        noun="model group",
        rows=ModelGroup.objects.all,
        key=lambda group: str(group.pk),
        slug=lambda group: group.slug,
        state=model_group_state,
    )
)


@entry("tier.created", subject="tier")
class TierCreated(StateEntry):
    """A tier was created."""


@entry("tier.changed", subject="tier")
class TierChanged(StateEntry):
    """A tier's name or limits were changed."""


@entry("tier.deleted", subject="tier")
class TierDeleted(StateEntry):
    """A tier that no partner had was deleted."""


@entry("tier.adopted", subject="tier", since="0.2")
class TierAdopted(StateEntry):
    """A tier from before version 0.2 was recorded as it was at the upgrade."""


@entry("partner.created", subject="partner")
class PartnerCreated(StateEntry):
    """A partner was added."""


_WITHOUT_STATE = "It has no state. Partners were put on record as a whole by `partner.adopted`."


@entry("partner.changed", subject="partner", retired="0.2", unmatched=_WITHOUT_STATE)
class PartnerChanged(Entry):
    """A partner was changed in the console."""

    fields: Annotated[tuple[str, ...], "Names of the fields that were changed."]


@entry("partner.deleted", subject="partner", retired="0.2", unmatched=_WITHOUT_STATE)
class PartnerDeleted(Entry):
    """A partner that nothing referred to was deleted in the console."""


@entry("partner.renamed", subject="partner", since="0.2")
class PartnerRenamed(StateEntry):
    """A partner was renamed; the slug stays."""


@entry("partner.moved", subject="partner", since="0.2")
class PartnerMoved(StateEntry):
    """A partner was moved to another tier."""


@entry("partner.region_changed", subject="partner", since="0.2")
class PartnerRegionChanged(StateEntry):
    """The region of a partner was changed."""


@entry("partner.suspended", subject="partner", since="0.2")
class PartnerSuspension(StateEntry):
    """A partner was suspended: it is denied everything until it is reinstated."""

    reason: Annotated[str, "Why, as a code."]


@entry("partner.reinstated", subject="partner", since="0.2")
class PartnerReinstatement(StateEntry):
    """A suspended partner was made active again."""

    reason: Annotated[str, "Why, as a code."]


@entry("partner.tokens_revoked", subject="partner")
class PartnerTokensRevoked(StateEntry):
    """Every token of a partner was revoked, including those being issued."""

    live_tokens: Annotated[int, "How many of them could still be used."]
    reason: Annotated[str, "Why, as a code."]


@entry("partner.adopted", subject="partner", since="0.2")
class PartnerAdopted(StateEntry):
    """A partner from before version 0.2 was recorded as it was at the upgrade."""


@entry("client.created", subject="client")
class ClientCreated(StateEntry):
    """An API client was created for a partner."""

    partner: Annotated[str, "Slug of the partner."]
    authorization_details: Annotated[Details, "The most that its tokens may cover (RFC 9396)."]


@entry("client.roles_set", subject="client")
class ClientRolesSet(StateEntry):
    """An API client was given exactly these roles."""

    client: Annotated[str, "Id of the client."]
    roles: Annotated[Sequence[str], "Slugs of its roles from now on."]


@entry("client.renamed", subject="client", since="0.3")
class ClientRenamed(StateEntry):
    """An API client was given another name."""


@entry("client.disabled", subject="client", since="0.3")
class ClientDisabled(StateEntry):
    """An API client was taken out of service, and all its tokens were revoked."""

    live_tokens: Annotated[int, "How many of them could still be used."]
    reason: Annotated[str, "Why, as a code."]


@entry("client.enabled", subject="client", since="0.3")
class ClientEnabled(StateEntry):
    """A disabled API client was put back into service."""

    reason: Annotated[str, "Why, as a code."]


@entry("client.tokens_revoked", subject="client", since="0.3")
class ClientTokensRevoked(StateEntry):
    """Every token of an API client was revoked."""

    live_tokens: Annotated[int, "How many of them could still be used."]
    reason: Annotated[str, "Why, as a code."]


@entry("client.secret_rotated", subject="client", since="0.3")
class ClientSecretRotated(StateEntry):
    """An API client was given a new secret; the state says until when the one before is good."""


@entry("client.earlier_secret_ended", subject="client", since="0.3")
class ClientEarlierSecretEnded(StateEntry):
    """The secret of an API client before the newest one ended at once."""


@entry("client.key_added", subject="client", since="0.3")
class ClientKeyAdded(StateEntry):
    """A public key was added to an API client; with the first one its secret ended."""


@entry("client.key_removed", subject="client", since="0.3")
class ClientKeyRemoved(StateEntry):
    """A public key of an API client was removed."""


@entry("client.deleted", subject="client", since="0.3")
class ClientDeleted(StateEntry):
    """An API client that was never used was deleted."""


@entry("client.adopted", subject="client", since="0.2")
class ClientAdopted(StateEntry):
    """An API client was recorded as it was at an upgrade: when states came to be on record, and when they grew."""


@dataclass(frozen=True, kw_only=True)
class RoleEntry(StateEntry):
    """The common fields of entries about a saved role."""

    role: Annotated[str, "Slug of the role."]
    partner: Annotated[str | None, "Slug of the only partner that it is for; null for any."]
    inherits: Annotated[Sequence[str], "Slugs of the roles that it inherits from."]
    grants: Annotated[Sequence[Sequence[str]], "What it allows: action, model and group of each, empty for any."]


@entry("role.created", subject="role")
class RoleCreated(RoleEntry):
    """A role of API clients was created."""


@entry("role.updated", subject="role")
class RoleUpdated(RoleEntry):
    """A role of API clients was changed."""


@entry("role.adopted", subject="role", since="0.2")
class RoleAdopted(StateEntry):
    """A role from before version 0.2 was recorded as it was at the upgrade."""


@entry("model_group.saved", subject="model_group")
class ModelGroupSaved(StateEntry):
    """A group of models was created or changed."""

    group: Annotated[str, "Slug of the group."]
    models: Annotated[Sequence[str], "Slugs of the models in it from now on."]


@entry("model_group.adopted", subject="model_group", since="0.2")
class ModelGroupAdopted(StateEntry):
    """A group of models from before version 0.2 was recorded as it was at the upgrade."""


_TOKENS = "The row of a token is deleted some time after it has expired."


@entry("token.issued", subject="token", unmatched=_TOKENS)
class TokenIssued(Entry):
    """An access token was issued to an API client."""

    partner: Annotated[str, "Slug of the client's partner."]
    client: Annotated[str, "Id of the client."]
    checksum_prefix: Annotated[str, "The first 16 digits of the token's SHA-256."]
    expires_in: Annotated[int, "Seconds until it expires."]
    authorization_details: Annotated[Details, "What the token covers (RFC 9396)."]


@entry("token.revoked", subject="token", unmatched=_TOKENS)
class TokenRevocation(Entry):
    """A single access token was revoked."""

    checksum_prefix: Annotated[str, "The first 16 digits of the token's SHA-256."]
    reason: Annotated[str, "Why, as a code."]
