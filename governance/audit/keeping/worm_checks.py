"""Comparison of WORM storage with the database, object by object."""

from collections.abc import Iterator

from governance.audit.choices import WormKind
from governance.audit.errors import WormObjectAltered, WormObjectMissing
from governance.audit.models import WormReference
from governance.audit.ports import WormStore
from governance.audit.tally import Tally, fault
from governance.audit.types import Fault, WormObject
from governance.kernel.canonical import timestamp
from governance.kernel.errors import GovernanceError

_CHUNK = 200


def other_object_faults(tally: Tally, *, store: WormStore) -> Iterator[Fault]:
    """Read back every object that is not evidence: policy revisions, and checkpoints with their notes."""
    rows = WormReference.objects.exclude(kind=WormKind.EVIDENCE).select_related("checkpoint").order_by("id")
    for reference in tally.counted("other_worm_objects", rows.iterator(chunk_size=_CHUNK), total=rows.count()):
        expected = reference.checkpoint.note.encode() if hasattr(reference, "checkpoint") else None
        yield from object_faults(reference, store, expected=expected, owner=_owner(reference))


def object_faults(
    reference: WormReference, store: WormStore, *, expected: bytes | None = None, owner: str = ""
) -> Iterator[Fault]:
    """Rehash one object and compare it with its reference, and its bytes with the `expected` bytes of `owner`."""
    name = f"WORM object {reference.uri}"
    where = {"uri": reference.uri, "version_id": reference.version_id}
    try:
        data, known = store.get(**where), store.head(**where)
    except (WormObjectAltered, WormObjectMissing) as error:
        yield fault(name, error.error_code, error.message)
        return
    except GovernanceError as error:
        yield fault(name, "worm_unreadable", error.message)
        return
    if expected is not None and data != expected:
        yield fault(name, "worm_bytes", f"The stored bytes are not those of {owner}.")
    yield from record_faults(reference, known)


def record_faults(reference: WormReference, known: WormObject) -> Iterator[Fault]:
    """Compare the store's metadata of an object with its reference."""
    name = f"WORM object {reference.uri}"
    differing = [field for field in ("sha256", "size", "mode") if getattr(known, field) != getattr(reference, field)]
    if differing:
        yield fault(name, "worm_record", f"The store has another digest, size or mode: {', '.join(differing)}.")
    if known.retain_until < reference.retain_until:
        promised, kept = timestamp(reference.retain_until), timestamp(known.retain_until)
        yield fault(name, "worm_record", f"It is kept until {kept}, but {promised} was promised.")


def _owner(reference: WormReference) -> str:
    return f"{reference.get_kind_display().lower()} {reference.subject_id}"
