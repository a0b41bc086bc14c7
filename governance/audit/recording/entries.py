"""The bytes of a ledger entry: built once, and never changed."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from governance.audit.errors import EntryInvalid
from governance.audit.types import Actor, SubjectRef
from governance.kernel.canonical import Json, canonical_json, timestamp
from governance.kernel.json_reading import read_json_object

ENTRY_VERSION = 1
#: The limit of a bundle of entries, which states each length in 16 bits (c2sp.org/tlog-tiles, "Log entries").
MAX_ENTRY_BYTES = 2**16 - 1
ACTOR_TYPES = frozenset({"client", "user", "system", "worker", "creator"})
_KIND = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*)+", re.ASCII)
_TYPE = re.compile(r"[a-z][a-z_.]{0,31}", re.ASCII)
#: Ids are machine-readable: no spaces and no '@', so that names and addresses of people are refused.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+~-]{0,127}", re.ASCII)
_KIND_LENGTH = 64


class EntryColumns(Protocol):
    """The columns that a waiting and an ordered entry have in common."""

    entry_id: UUID
    kind: str
    subject_type: str
    subject_id: str
    actor_type: str
    actor_id: str
    occurred_at: datetime


def build_entry(
    *, entry_id: UUID, kind: str, subject: SubjectRef, actor: Actor, at: datetime, data: Mapping[str, Json]
) -> bytes:
    """Return the canonical JSON of an entry (RFC 8785), at most MAX_ENTRY_BYTES.

    Raises EntryInvalid for a malformed kind or id and for too much data, NotCanonical for data that is not JSON.
    """
    if len(kind) > _KIND_LENGTH or not _KIND.fullmatch(kind):
        raise EntryInvalid(f"{kind!r} is not a kind of entry, such as 'job.submitted'.")
    check_reference(subject)
    if actor.type not in ACTOR_TYPES or not _ID.fullmatch(actor.id):
        raise EntryInvalid(f"{str(actor)!r} is not an actor: one of {', '.join(sorted(ACTOR_TYPES))}, and an id.")
    body = _entry_bytes(entry_id=entry_id, kind=kind, subject=subject, actor=actor, at=at, data=canonical_json(data))
    if len(body) > MAX_ENTRY_BYTES:
        raise EntryInvalid(f"The entry has {len(body)} bytes; at most {MAX_ENTRY_BYTES} are allowed.")
    return body


def _entry_bytes(*, entry_id: UUID, kind: str, subject: SubjectRef, actor: Actor, at: datetime, data: bytes) -> bytes:
    """Return the members in the order of RFC 8785 section 3.2.3.

    Assembled by hand in a quarter of the time: the names were checked and need no escaping.
    """
    before = f'{{"actor":{{"id":"{actor.id}","type":"{actor.type}"}},"at":"{timestamp(at)}","data":'
    about = f'"subject":{{"id":"{subject.id}","type":"{subject.type}"}}'
    after = f',"entry_id":"{entry_id}","kind":"{kind}",{about},"v":{ENTRY_VERSION}}}'
    return before.encode() + data + after.encode()


def check_reference(subject: SubjectRef) -> None:
    """Raise EntryInvalid unless type and id of `subject` are plain names."""
    if not _TYPE.fullmatch(subject.type) or not _ID.fullmatch(subject.id):
        raise EntryInvalid(f"{str(subject)!r} does not name a subject: a type and an id, never a person's name.")


def entry_data(body: bytes) -> Mapping[str, Json]:
    """Return the data of an entry; empty when the bytes are not an entry."""
    try:
        data = read_json_object(body)["data"]
    except (ValueError, LookupError, TypeError):
        return {}
    return data if isinstance(data, dict) else {}


def differing_columns(entry: EntryColumns, body: bytes) -> list[str]:
    """Return the names of the columns that differ from the entry's bytes; `body` when those are not an entry."""
    try:
        document: dict[str, Any] = read_json_object(body)
        said = {
            "entry_id": document["entry_id"],
            "kind": document["kind"],
            "subject_type": document["subject"]["type"],
            "subject_id": document["subject"]["id"],
            "actor_type": document["actor"]["type"],
            "actor_id": document["actor"]["id"],
            "occurred_at": document["at"],
        }
    except (ValueError, LookupError, TypeError):
        return ["body"]
    stored = {name: getattr(entry, name) for name in said}
    stored |= {"entry_id": str(entry.entry_id), "occurred_at": timestamp(entry.occurred_at)}
    return [name for name, value in said.items() if stored[name] != value]
