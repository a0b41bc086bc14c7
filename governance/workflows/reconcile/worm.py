"""WORM storage against the database, in both directions: every referenced object is there, and nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from django.db import transaction

from governance.audit.choices import WormKind
from governance.audit.entries import ObjectAcknowledged
from governance.audit.errors import WormObjectMissing
from governance.audit.keeping.worm_checks import object_faults, record_faults
from governance.audit.models import LedgerEntry, OutboxEntry, WormReference
from governance.audit.ports import WormStore, worm_store
from governance.audit.recording.entries import entry_data
from governance.audit.recording.record import record
from governance.audit.stores.probe import FOLDER as PROBES
from governance.audit.tally import Tally, chunks, fault
from governance.audit.types import Actor, Fault, ListedObject, SubjectRef, WormObject
from governance.kernel import clock
from governance.kernel.errors import GovernanceError
from governance.rulebook.archive import revision_document
from governance.rulebook.models import PolicyRevision

_CHUNK = 500
#: An object is written before its reference is committed; recent ones may still await it.
GRACE = timedelta(minutes=10)
_UNKNOWN_REMEDY = (
    "A failed activation or checkpoint can leave one behind: look at it, and acknowledge it with "
    "'manage.py audit acknowledge URI VERSION'. If it is evidence, its reference was removed: restore it from a backup."
)


def worm_faults(tally: Tally, *, store: WormStore, read_bytes: bool) -> Iterator[Fault]:
    """Check every referenced object, rehashing it if `read_bytes`, then look for objects that nothing refers to."""
    yield from _promised_faults(tally, store, read_bytes)
    yield from _unknown_faults(tally, store)


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


def _unknown_faults(tally: Tally, store: WormStore) -> Iterator[Fault]:
    stored = tally.counted("worm_objects_listed", store.listing(), total=WormReference.objects.count())
    acknowledged = _acknowledged()
    for chunk in chunks(stored, _CHUNK):
        known = set(WormReference.objects.filter(uri__in=[each.uri for each in chunk]).values_list("uri", "version_id"))
        for each in chunk:
            if (each.uri, each.version_id) not in known | acknowledged and not _is_transient(each):
                message = f"Nothing refers to version {each.version_id}: {each.size} bytes, {each.condition}."
                yield Fault(f"WORM object {each.uri}", "worm_object_unknown", message, _UNKNOWN_REMEDY)


def _is_transient(found: ListedObject) -> bool:
    """Return whether the object may be referenced soon, or was only written to probe the store."""
    return found.stored_at > clock.now() - GRACE or found.key.startswith(PROBES)


def _acknowledged() -> set[tuple[str, str]]:
    kind = ObjectAcknowledged.declaration.kind
    bodies = [
        *OutboxEntry.objects.filter(kind=kind).values_list("body", flat=True),
        *LedgerEntry.objects.filter(kind=kind).values_list("body", flat=True),
    ]
    said = [entry_data(bytes(body)) for body in bodies]
    return {(str(data["uri"]), str(data["version_id"])) for data in said}
