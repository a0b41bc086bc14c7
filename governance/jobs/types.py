"""Values of the jobs area."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from governance.catalog.models import Asset
from governance.decisions.models import DecisionRecord
from governance.kernel.canonical import Json
from governance.kernel.reason_codes import ReasonCode
from governance.partners.models import ApiClient, Partner
from governance.partners.types import TokenUse
from governance.registry.models import ModelVersion


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one worker to work on one job, until it expires or a higher fencing token exists."""

    job_id: UUID
    owner: str
    fencing_token: int


@dataclass(frozen=True, slots=True)
class NewJob:
    """Everything that defines a job before it is stored."""

    id: UUID
    partner: Partner
    client: ApiClient
    task: str
    version: ModelVersion
    purpose: str
    assets: tuple[Asset, ...]
    token_grant: Sequence[Mapping[str, Json]]
    token_use: TokenUse
    idempotency_key: str
    request_digest: str
    request_id: str
    admission: DecisionRecord
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Stages:
    """How many jobs are how far: in the queue, with a model runtime, before their release, past it, and released."""

    queued: int
    running: int
    held: int
    sealing: int
    released: int

    @property
    def stoppable(self) -> int:
        """How many of them a cut-off ends."""
        return self.queued + self.running + self.held


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a job ends or goes back: a stable code and a sentence."""

    code: str = ""
    message: str = ""

    @classmethod
    def because(cls, reason: ReasonCode) -> "Ending":
        """Return the ending for a built-in reason, with its sentence."""
        return cls(reason, reason.sentence)
