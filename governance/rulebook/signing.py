"""The signature of a policy revision, and what it covers."""

from datetime import datetime

from governance.kernel.canonical import canonical_json
from governance.keys.dsse import Envelope, EnvelopeMalformed, sign_envelope, verify_envelope
from governance.keys.ring import KeyPurpose, SignatureInvalid, key_ring
from governance.rulebook.errors import RevisionCorrupt

PAYLOAD_TYPE = "application/vnd.assent.policy-revision+json"


def signed_payload(digest: str) -> bytes:
    """Return the statement that is signed: canonical JSON naming the SHA-256 of the revision's content."""
    return canonical_json({"content": {"sha256": digest}})


def sign_revision(digest: str) -> Envelope:
    """Return a DSSE envelope over the digest. Raises KeyUnavailable when there is no key for revisions."""
    return sign_envelope(
        key_ring=key_ring.get(),
        purpose=KeyPurpose.REVISION,
        payload_type=PAYLOAD_TYPE,
        payload=signed_payload(digest),
    )


def verify_revision(*, digest: str, envelope: Envelope, at: datetime) -> None:
    """Raise RevisionCorrupt unless the envelope is our signature, made at `at`, over just this digest."""
    try:
        payload = verify_envelope(
            key_ring=key_ring.get(),
            purpose=KeyPurpose.REVISION,
            envelope=envelope,
            expected_payload_type=PAYLOAD_TYPE,
            at=at,
        )
    except (SignatureInvalid, EnvelopeMalformed) as error:
        raise RevisionCorrupt(f"The signature of revision {digest} is not valid: {error}") from error
    if payload != signed_payload(digest):
        raise RevisionCorrupt(f"The signature of revision {digest} is for something else.")
