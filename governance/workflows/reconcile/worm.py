"""WORM storage against the database, in both directions: every referenced object is there, and nothing else."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from governance.audit.choices import WormKind
from governance.audit.entries import ObjectAcknowledged
from governance.audit.errors import WormObjectMissing
from governance.audit.keeping.worm_checks import object_faults, record_faults
from governance.audit.models import LedgerEntry, OutboxEntry, WormReference
from governance.audit.ports import WormStore, worm_store
from governance.audit.recording.entries import entry_data
from governance.audit.recording.record import record
from governance.audit.stores.probe import CONTENTS as PROBE_CONTENTS
from governance.audit.stores.probe import FOLDER as PROBES
from governance.audit.tally import Tally, chunks, fault
from governance.audit.types import Actor, Fault, ListedCondition, ListedObject, SubjectRef, WormObject
from governance.kernel import clock
from governance.kernel.canonical import timestamp
from governance.kernel.errors import GovernanceError
from governance.rulebook.archive import revision_document
from governance.rulebook.models import PolicyRevision

_CHUNK = 500
#: The count of objects that are too new to be judged.
TOO_NEW = "worm_objects_too_new"
#: So many of them are named in the report.
NEWER_KEPT = 100
_PROBE_KEY = re.compile(rf"{PROBES}[0-9a-f-]{{36}}/[0-9]{{1,3}}")
#: An object is written before its reference is committed; recent ones may still await it.
GRACE = timedelta(minutes=10)
_UNKNOWN_REMEDY = (
    "A failed activation or checkpoint can leave one behind: look at it, and acknowledge it with "
    "'manage.py audit acknowledge URI VERSION'. If it is evidence, its reference was removed: restore it from a backup."
)


@dataclass(slots=True)
class StoreView:
    """How fresh the view of the store's content is.

    Objects stored after `as_of` may be missing from it, or still await their reference; `newer` are those of them that
    were seen and that nothing refers to, as text.
    """

    as_of: datetime
    newer: list[str] = field(default_factory=list)


def worm_faults(tally: Tally, *, store: WormStore, read_bytes: bool) -> Iterator[Fault]:
    """Check every referenced object, rehashing it if `read_bytes`."""
    yield from _promised_faults(tally, store, read_bytes)


def unknown_faults(tally: Tally, *, store: WormStore, view: StoreView) -> Iterator[Fault]:
    """Look for objects that nothing refers to. Those stored after `view.as_of` are no faults; `view.newer` names them.

    A date in the future, by which an object would always be too new, makes it none of those.
    What lies among the objects of the probe is read: only what the probe writes belongs there.
    """
    stored = tally.counted("worm_objects_listed", store.listing(), total=WormReference.objects.count())
    tally.checked[TOO_NEW] += 0
    acknowledged = _acknowledged()
    for chunk in chunks(stored, _CHUNK):
        known = set(WormReference.objects.filter(uri__in=[each.uri for each in chunk]).values_list("uri", "version_id"))
        for each in chunk:
            if (each.uri, each.version_id) in known | acknowledged or _is_of_probe(each, store):
                continue
            if view.as_of < each.stored_at <= clock.now() + GRACE:
                tally.checked[TOO_NEW] += 1
                _name(each, view)
                continue
            message = f"Nothing refers to version {each.version_id}: {each.size} bytes, {each.condition}."
            yield Fault(f"WORM object {each.uri}", "worm_object_unknown", message, _UNKNOWN_REMEDY)


def acknowledge(*, uri: str, version_id: str, actor: Actor) -> WormObject:
    """Record that an object is known although nothing refers to it, and return it.

    Raises WormKeyInvalid, WormObjectMissing, WormObjectAltered and WormUnavailable.
    """
    known = worm_store.get().verify(uri=uri, version_id=version_id)
    with transaction.atomic():
        record(ObjectAcknowledged.of(known), subject=SubjectRef("worm_object", known.sha256), actor=actor)
    return known


def _promised_faults(tally: Tally, store: WormStore, read_bytes: bool) -> Iterator[Fault]:
    rows = WormReference.objects.select_related("evidence", "checkpoint").order_by("id")
    stage = "worm_objects_read" if read_bytes else "worm_objects_asked_for"
    found = tally.counted(stage, rows.iterator(chunk_size=_CHUNK), total=rows.count())
    for chunk in chunks(found, _CHUNK):
        documents = _policy_documents(chunk) if read_bytes else {}
        for reference in chunk:
            if read_bytes:
                expected = _expected(reference, documents)
                yield from object_faults(reference, store, expected=expected, owner=_owner(reference))
            else:
                yield from _head_faults(reference, store)


def _head_faults(reference: WormReference, store: WormStore) -> Iterator[Fault]:
    name = f"WORM object {reference.uri}"
    try:
        known = store.head(uri=reference.uri, version_id=reference.version_id)
    except GovernanceError as error:
        code = WormObjectMissing.code if isinstance(error, WormObjectMissing) else "worm_unreadable"
        yield fault(name, code, error.message)
        return
    yield from record_faults(reference, known)


def _expected(reference: WormReference, documents: Mapping[str, bytes]) -> bytes | None:
    """Return the bytes that must be there, where the database holds them too."""
    if reference.evidence is not None:
        return reference.evidence.envelope.encode()
    if reference.kind == WormKind.POLICY:
        return documents.get(reference.subject_id)
    return reference.checkpoint.note.encode() if hasattr(reference, "checkpoint") else None


def _policy_documents(references: Sequence[WormReference]) -> dict[str, bytes]:
    digests = {each.subject_id for each in references if each.kind == WormKind.POLICY}
    return {each.digest: revision_document(each) for each in PolicyRevision.objects.filter(digest__in=digests)}


def _owner(reference: WormReference) -> str:
    return f"{reference.get_kind_display().lower()} of {reference.subject_type} {reference.subject_id}"


def _name(found: ListedObject, view: StoreView) -> None:
    if len(view.newer) < NEWER_KEPT:
        view.newer.append(f"{found.uri} version {found.version_id}, {found.size} bytes, {timestamp(found.stored_at)}")


def _is_of_probe(found: ListedObject, store: WormStore) -> bool:
    """Return whether an object is one that a probe wrote and that its lock still keeps, or a later probe removes."""
    if _PROBE_KEY.fullmatch(found.key) is None or found.condition != ListedCondition.SOUND:
        return False
    if found.size not in {len(content) for content in PROBE_CONTENTS}:
        return False
    try:
        return store.get(uri=found.uri, version_id=found.version_id) in PROBE_CONTENTS
    except WormObjectMissing:
        return True  # a probe removed it since it was listed
    except GovernanceError:
        return False


def _acknowledged() -> set[tuple[str, str]]:
    kind = ObjectAcknowledged.declaration.kind
    bodies = [
        *OutboxEntry.objects.filter(kind=kind).values_list("body", flat=True),
        *LedgerEntry.objects.filter(kind=kind).values_list("body", flat=True),
    ]
    said = [entry_data(bytes(body)) for body in bodies]
    return {(str(data["uri"]), str(data["version_id"])) for data in said}
