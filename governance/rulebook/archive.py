"""Policy revisions in WORM storage: written when they become active, read back to re-make old decisions."""

from governance.audit.choices import WormKind
from governance.audit.keeping.worm import store_object
from governance.audit.ports import worm_store
from governance.audit.recording.record import record
from governance.audit.types import Actor, SubjectRef
from governance.engines.types import PolicyProgram
from governance.kernel.canonical import canonical_json, sha256_hex, timestamp
from governance.kernel.json_reading import read_json_object
from governance.kernel.parsing import parse_text
from governance.keys.dsse import Envelope, EnvelopeMalformed
from governance.rulebook.content import program_of
from governance.rulebook.entries import RevisionAnchored
from governance.rulebook.errors import RevisionCorrupt, RevisionNotFound
from governance.rulebook.models import PolicyRevision, RevisionAnchor
from governance.rulebook.signing import verify_revision

FORMAT = 1


def revision_document(revision: PolicyRevision) -> bytes:
    """Return the archived and exported form of a revision: canonical JSON (RFC 8785) of content and signature."""
    return canonical_json(
        {
            "format": FORMAT,
            "digest": revision.digest,
            "content": revision.content,
            "signature": revision.signature,
            "signed_at": timestamp(revision.created_at),
        }
    )


def anchor_revision(*, revision: PolicyRevision, actor: Actor) -> RevisionAnchor:
    """Write a revision to WORM, or extend the time it is kept there, and store the reference.

    Part of an activation: what cannot be kept does not decide. Raises what `store_object` raises.
    """
    data = revision_document(revision)
    # The name includes the bytes: a failed activation can leave the same content there, with another signature.
    document = sha256_hex(data)
    subject = SubjectRef("revision", revision.digest)
    reference = store_object(
        kind=WormKind.POLICY,
        subject=subject,
        key=f"policy/revisions/{revision.digest}/{document}.json",
        data=data,
    )
    record(RevisionAnchored.of(reference), subject=subject, actor=actor)
    return RevisionAnchor.objects.create(
        revision=revision,
        uri=reference.uri,
        version_id=reference.version_id,
        sha256=reference.sha256,
        size=reference.size,
        mode=reference.mode,
        retain_until=reference.retain_until,
        stored_at=reference.stored_at,
    )


def archived_program(digest: str) -> PolicyProgram:
    """Return the program of a revision as it was archived; the database is read only for its place.

    Raises RevisionNotFound when it was never archived, RevisionCorrupt when what is there is not what was signed, and
    what WormStore.get raises.
    """
    anchor = RevisionAnchor.objects.filter(revision__digest=digest).select_related("revision").first()
    if anchor is None:
        raise RevisionNotFound(f"Revision {digest} is not in WORM storage.")
    data = worm_store.get().get(uri=anchor.uri, version_id=anchor.version_id)
    if sha256_hex(data) != anchor.sha256:
        raise RevisionCorrupt(f"The archived revision {digest} has other bytes than when it was archived.")
    try:
        document = read_json_object(data)
        envelope, content = Envelope.from_json(parse_text(document["signature"])), parse_text(document["content"])
    except (ValueError, LookupError, TypeError, EnvelopeMalformed) as error:
        raise RevisionCorrupt(f"The archived revision {digest} cannot be read: {error}") from error
    verify_revision(digest=digest, envelope=envelope, at=anchor.revision.created_at)
    return program_of(text=content, digest=digest)
