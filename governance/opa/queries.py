"""Reads about OPA servers: by credential, and the bundle to run."""

import hashlib
from functools import lru_cache

from governance.keys.ring import KeyPurpose, key_ring
from governance.opa.errors import BundleUnknown, OpaCredentialInvalid
from governance.opa.events import BUNDLE
from governance.opa.models import OpaServer
from governance.rulebook.bundles import Bundle, etag_of, signed_bundle
from governance.rulebook.queries import active_program, load_program


def server_of(token: str) -> OpaServer:
    """Return the server with this credential. Raises OpaCredentialInvalid."""
    checksum = hashlib.sha256(token.encode()).hexdigest()
    server = OpaServer.objects.filter(token_sha256=checksum, revoked_at=None).first()
    if server is None:
        raise OpaCredentialInvalid("The credential is not known, or was revoked.")
    return server


def bundle_etag(name: str, *, key_id: str) -> str:
    """Return the entity tag of the bundle to run now. Raises BundleUnknown, NoActiveRevision, KeyUnavailable.

    `key_id` is the key that the server verifies by; it signs as long as it is valid.
    """
    if name != BUNDLE:
        raise BundleUnknown(f"There is no bundle '{name}'.")
    return etag_of(active_program().revision, key_ring.get().current(purpose=KeyPurpose.BUNDLE, prefer=key_id))


def bundle_to_run(name: str, *, key_id: str) -> Bundle:
    """Return the signed bundle of the active revision. Raises as `bundle_etag` does, and RevisionCorrupt."""
    return _bundle(bundle_etag(name, key_id=key_id))


@lru_cache(maxsize=4)
def _bundle(etag: str) -> Bundle:
    _, revision, key_id = etag.strip('"').split(".")
    return signed_bundle(program=load_program(revision), key_ring=key_ring.get(), prefer=key_id)
