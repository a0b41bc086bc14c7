"""Partners, clients and tokens for tests."""

import base64
from collections.abc import Iterable
from typing import Any

import factory
from django.contrib.auth.hashers import check_password
from factory.django import DjangoModelFactory

from governance.audit.types import Actor
from governance.kernel.ids import new_token
from governance.kernel.vocabulary import TOKEN_ACTIONS, Purpose
from governance.partners.client_secrets import has_earlier_secret
from governance.partners.clients import create_client
from governance.partners.models import ApiClient, Partner, Tier
from governance.partners.partners import create_partner
from governance.partners.tiers import create_tier
from governance.partners.tokens import issue_token
from governance.partners.types import Coverage

ACTOR = Actor("user", "partner-manager")
FORM = "application/x-www-form-urlencoded"


class TierFactory(DjangoModelFactory[Tier]):
    """A tier, made by its service, so that it is on record."""

    class Meta:
        model = Tier

    slug = factory.Sequence(lambda n: f"tier-{n}")
    name = factory.Sequence(lambda n: f"Tier {n}")
    requests_per_minute = 600
    max_open_jobs = 100

    @classmethod
    def _create(cls, model_class: type[Tier], *args: Any, **given: Any) -> Tier:
        return create_tier(**given, actor=ACTOR)


class PartnerFactory(DjangoModelFactory[Partner]):
    """A partner, made by its service, so that it is on record."""

    class Meta:
        model = Partner

    slug = factory.Sequence(lambda n: f"partner-{n}")
    name = factory.Faker("company")
    tier = factory.SubFactory(TierFactory)
    region = "DE"

    @classmethod
    def _create(cls, model_class: type[Partner], *args: Any, **given: Any) -> Partner:
        return create_partner(**given, actor=ACTOR)


def client_with_secret(
    partner: Partner | None = None,
    *,
    actions: Iterable[str] = tuple(TOKEN_ACTIONS),
    purposes: Iterable[str] = tuple(Purpose),
    models: Iterable[str] = (),
    datasets: Iterable[str] = (),
) -> tuple[ApiClient, str]:
    """Return a client, by default one that may do everything, and its secret."""
    return create_client(
        partner=partner or PartnerFactory.create(),
        name="server",
        actions=actions,
        purposes=purposes,
        models=models,
        datasets=datasets,
        actor=ACTOR,
    )


def raw_token(client: ApiClient, *, seconds: int = 900, **narrowed: Any) -> str:
    """Return a token as a client gets it. `narrowed` replaces parts of the client's coverage."""
    full = Coverage.of_client(client)
    coverage = Coverage(
        actions=frozenset(narrowed.get("actions", full.actions)),
        purposes=frozenset(narrowed.get("purposes", full.purposes)),
        models=narrowed.get("models", full.models),
        datasets=narrowed.get("datasets", full.datasets),
    )
    token = new_token()
    issue_token(client=client, coverage=coverage, raw_token=token, seconds=seconds)
    return token


def basic_auth(client_id: str, secret: str) -> dict[str, str]:
    """Return the header that a client authenticates with (RFC 7617)."""
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def is_newest_secret(client: ApiClient, secret: str) -> bool:
    """Return whether this is the newest secret of a client, which may change its credentials."""
    return not client.keys.exists() and check_password(secret, client.client_secret)


def is_earlier_secret(client: ApiClient, secret: str) -> bool:
    """Return whether this is the secret before the newest one, while it is still good."""
    return has_earlier_secret(client) and not client.keys.exists() and check_password(secret, client.earlier_secret)
