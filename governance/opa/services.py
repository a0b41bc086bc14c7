"""Changes to OPA servers, and what is stored of their status. Their logs are taken in `intake`."""

import hashlib
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from governance.audit.recording.record import record
from governance.audit.types import Actor, SubjectRef
from governance.kernel import clock
from governance.kernel.errors import InvalidInput
from governance.kernel.ids import new_token
from governance.keys.ring import KeyPurpose, key_ring
from governance.opa.entries import OpaCredentialRenewed, OpaServerEnrolled, OpaServerEntry, OpaServerRevoked
from governance.opa.errors import OpaNameTaken, OpaRevoked
from governance.opa.events import read_status
from governance.opa.models import SERVER_NAME, OpaServer, OpaStatus


def enrol(*, name: str, actor: Actor) -> tuple[OpaServer, str]:
    """Enrol an OPA server and return it with its credential, of which only a hash is stored.

    Raises OpaNameTaken, or KeyUnavailable when there is no key to sign its bundles.
    """
    try:
        SERVER_NAME(name)
    except ValidationError as error:
        raise InvalidInput("; ".join(error.messages), code="opa_name_invalid", details={"field": "name"}) from error
    token = new_token()
    try:
        with transaction.atomic():
            server = OpaServer.objects.create(
                name=name, token_sha256=_sha256(token), key_id=_bundle_key(), created_by=str(actor)
            )
            _record(OpaServerEnrolled(name=server.name), server, actor)
    except IntegrityError as error:
        raise OpaNameTaken(f"There is an OPA server '{name}' already.", details={"field": "name"}) from error
    return server, token


@transaction.atomic
def renew_credential(*, server: OpaServer, actor: Actor) -> str:
    """Give a server a new credential and the newest key to verify by, and return the credential; its configuration
    has to be written anew. The credential before ends now. Raises OpaRevoked or KeyUnavailable."""
    locked = OpaServer.objects.select_for_update().get(pk=server.pk)
    if locked.revoked_at is not None:
        raise OpaRevoked(f"The OPA server '{locked.name}' was revoked.")
    token = new_token()
    locked.token_sha256 = _sha256(token)
    locked.key_id = _bundle_key()
    locked.save(update_fields=["token_sha256", "key_id"])
    _record(OpaCredentialRenewed(name=locked.name), locked, actor)
    return token


@transaction.atomic
def revoke(*, server: OpaServer, actor: Actor) -> OpaServer:
    """Revoke a server for good: its credential ends now."""
    locked = OpaServer.objects.select_for_update().get(pk=server.pk)
    if locked.revoked_at is None:
        locked.revoked_at = clock.now()
        locked.save(update_fields=["revoked_at"])
        _record(OpaServerRevoked(name=locked.name), locked, actor)
    return locked


def note_contact(server: OpaServer) -> None:
    """Store that a server was in contact just now."""
    OpaServer.objects.filter(pk=server.pk).update(last_seen_at=clock.now())


@transaction.atomic
def store_status(*, server: OpaServer, report: Mapping[str, object]) -> OpaServer:
    """Store a server's status report; one with a change becomes a row of its own."""
    status = read_status(report)
    locked = OpaServer.objects.select_for_update().get(pk=server.pk)
    reported = {"opa_id": status.opa_id, "version": status.version, "revision": status.revision, "error": status.error}
    if any(getattr(locked, name) != value for name, value in reported.items()):
        OpaStatus.objects.create(server=locked, received_at=clock.now(), **reported)
        for name, value in reported.items():
            setattr(locked, name, value)
    locked.last_seen_at = clock.now()
    locked.save(update_fields=[*reported, "last_seen_at"])
    return locked


def _record(entry: OpaServerEntry, server: OpaServer, actor: Actor) -> None:
    record(entry, subject=SubjectRef("opa_server", str(server.pk)), actor=actor)


def _bundle_key() -> str:
    return key_ring.get().current(purpose=KeyPurpose.BUNDLE).key_id


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
