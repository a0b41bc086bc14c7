"""Values of the audit area."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypedDict

from governance.kernel.canonical import Json


@dataclass(frozen=True, slots=True)
class SubjectRef:
    """What an entry is about: a type and an id as text, so that it can refer to any area without a foreign key."""

    type: str
    id: str

    def __str__(self) -> str:
        return f"{self.type}:{self.id}"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: `client`, `user`, `system`, `worker` or `creator`, and an id. Never a name or an address."""

    type: str
    id: str

    def __str__(self) -> str:
        return f"{self.type}:{self.id}"


#: Assent itself, for scheduled work of the audit area.
AUDIT_ACTOR = Actor(type="system", id="audit")
#: Migrations of a new version that record existing rows.
UPGRADE = Actor(type="system", id="upgrade")


class StatementParts(TypedDict):
    """The content of a receipt: its subject, and what happened."""

    statement_subject: list[dict[str, Json]]
    predicate: dict[str, Json]


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """One entry of a subject's history; `index` is its place in the ledger, None while it is not ordered."""

    index: int | None
    entry_id: str
    kind: str
    actor: Actor
    at: datetime
    data: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a recorded state: what it was, and what it is now."""

    name: str
    was: Json
    now: Json


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """How an object changed since it was read; `now` is None when it was deleted.

    `actor` and `at` are of the newest ledger entry about it, None where there is none.
    """

    changes: tuple[FieldChange, ...]
    now: dict[str, Json] | None
    actor: Actor | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class WormObject:
    """One object in a WORM store. `sha256` and `size` are of its bytes, `mode` is the kind of lock.

    `held`: it is under legal hold and stays, whatever `retain_until` says.
    """

    key: str
    uri: str
    version_id: str
    sha256: str
    size: int
    retain_until: datetime
    mode: str
    stored_at: datetime
    held: bool = False


class ListedCondition(StrEnum):
    """What a listing returns of an object without reading it."""

    SOUND = "sound"
    DAMAGED = "damaged"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class ListedObject:
    """One version of one key, as a listing of a WORM store returns it. `size` counts bytes; `stored_at` is aware.

    `damaged`: its metadata is damaged. `deleted`: somebody put a delete marker over the key.
    """

    key: str
    uri: str
    version_id: str
    size: int
    stored_at: datetime
    condition: ListedCondition = ListedCondition.SOUND


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call to a store: what was sent (operation and parameters by the names of its API), and the answer."""

    sent: str
    answer: str


@dataclass(frozen=True, slots=True)
class ProbeFinding:
    """One attempt to break a WORM store's promise: the attempt, whether the store refused it, as it must, and how."""

    attempt: str
    refused: bool
    detail: str = ""
    exchanges: tuple[Exchange, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """A difference from what was recorded: where, which check found it, what is wrong and what to do."""

    subject: str
    check: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """How much was checked, by kind of thing, and every fault that was found."""

    checked: Mapping[str, int] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.faults
