"""What the signature of a policy revision is over."""

from governance.kernel.canonical import canonical_json
from governance.kernel.dsse import Envelope, sign_envelope
from governance.kernel.keys import KeyPurpose, key_ring

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
