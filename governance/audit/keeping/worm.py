"""Writing to WORM storage, and references to it in the database."""

from datetime import datetime

from governance.audit.choices import WormKind
from governance.audit.errors import WormObjectAltered
from governance.audit.keeping.retention import retention_for
from governance.audit.models import EvidenceRecord, WormReference
from governance.audit.ports import worm_store
from governance.audit.types import SubjectRef
from governance.kernel import clock
from governance.kernel.canonical import sha256_hex


def store_object(
    *,
    kind: WormKind,
    subject: SubjectRef,
    key: str,
    data: bytes,
    evidence: EvidenceRecord | None = None,
    partner: str = "",
    region: str = "",
) -> WormReference:
    """Write `data` to WORM storage and store the reference in the current transaction; the caller records it.

    Its retention follows from the class for its kind, partner and region. The same bytes under the same key give the
    same reference, kept longer if the class now says so; bytes that a killed caller left in the store are used. Raises
    what WormStore.put raises, and WormObjectAltered when the store holds other bytes.
    """
    retention = retention_for(kind=kind, partner=partner, region=region)
    stored = worm_store.get().put(key=key, data=data, retain_until=retention.until(clock.now()))
    if stored.sha256 != sha256_hex(data):
        raise WormObjectAltered(f"The WORM store says that it holds other bytes as {key} than it was given.")
    reference, created = WormReference.objects.get_or_create(
        uri=stored.uri,
        version_id=stored.version_id,
        defaults={
            "kind": kind,
            "subject_type": subject.type,
            "subject_id": subject.id,
            "evidence": evidence,
            "sha256": stored.sha256,
            "size": stored.size,
            "mode": stored.mode,
            "retain_until": stored.retain_until,
            "retention_class": retention.slug,
            "stored_at": stored.stored_at,
        },
    )
    return reference if created else kept_until(reference, stored.retain_until)


def kept_until(reference: WormReference, retain_until: datetime) -> WormReference:
    """Record that the store keeps an object longer; an earlier date is ignored."""
    if retain_until > reference.retain_until:
        reference.retain_until = retain_until
        reference.save(update_fields=["retain_until"])
    return reference
