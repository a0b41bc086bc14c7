"""Values of the partners area."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from governance.partners.models import ApiClient, Partner


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLimits:
    """What a tier's partners may upload, as far as it is less than the settings allow; None: what they allow."""

    max_image_pixels: int | None = None
    max_image_edge: int | None = None
    max_image_ratio: int | None = None
    max_image_parts: int | None = None


DETAILS_TYPE = "assent_job"
#: No token lives longer, whatever the settings say.
LONGEST_TOKEN_LIFE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a client or a token covers: every combination of these. `None` lists mean: any."""

    actions: frozenset[str]
    purposes: frozenset[str]
    models: frozenset[str] | None
    datasets: frozenset[str] | None

    @classmethod
    def of_client(cls, client: ApiClient) -> "Coverage":
        """Return the most that tokens of this client may cover."""
        return cls(
            actions=frozenset(client.actions),
            purposes=frozenset(client.purposes),
            models=frozenset(client.model_slugs) or None,
            datasets=frozenset(client.dataset_slugs) or None,
        )

    @classmethod
    def from_details(cls, details: Sequence[dict[str, Any]]) -> "Coverage":
        """Return the coverage that `to_details` wrote."""
        [entry] = details
        return cls(
            actions=frozenset(entry["actions"]),
            purposes=frozenset(entry["purposes"]),
            models=frozenset(entry["models"]) if "models" in entry else None,
            datasets=frozenset(entry["datasets"]) if "datasets" in entry else None,
        )

    def to_details(self) -> list[dict[str, Any]]:
        """Return `authorization_details` (RFC 9396 section 2) of the type `assent_job`; an absent list means any."""
        entry: dict[str, Any] = {
            "type": DETAILS_TYPE,
            "actions": sorted(self.actions),
            "purposes": sorted(self.purposes),
        }
        if self.models is not None:
            entry["models"] = sorted(self.models)
        if self.datasets is not None:
            entry["datasets"] = sorted(self.datasets)
        return [entry]


@dataclass(frozen=True, slots=True)
class TokenUse:
    """Which token something was asked for with; `token` is its key, None for what is older than version 0.3."""

    partner: UUID
    token: int | None
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """A live token: whose it is and what it covers. `None` lists mean: any."""

    token_id: str
    client: ApiClient
    partner: Partner
    actions: frozenset[str]
    purposes: frozenset[str]
    models: frozenset[str] | None
    datasets: frozenset[str] | None
    issued_at: datetime
    expires_at: datetime

    @property
    def coverage(self) -> Coverage:
        """What the token covers, on its own."""
        return Coverage(self.actions, self.purposes, self.models, self.datasets)

    @property
    def use(self) -> TokenUse:
        """What has to be remembered of the token with whatever it is used for."""
        return TokenUse(self.partner.id, int(self.token_id), self.issued_at)

    def covers_dataset(self, slug: str | None) -> bool:
        """Return whether the token may be used with this dataset; a work without one needs a token for any."""
        return self.datasets is None or slug in self.datasets
