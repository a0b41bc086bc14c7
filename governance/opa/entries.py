"""Kinds of ledger entries of OPA servers."""

from dataclasses import dataclass
from typing import Annotated

from governance.audit.recording.declarations import Entry, entry


@dataclass(frozen=True, kw_only=True)
class OpaServerEntry(Entry):
    """The common fields of entries about an OPA server."""

    name: Annotated[str, "Name of the server, which is a machine's."]


_UNMATCHED = "A credential opens nothing but what the policy bundle holds, which is signed and matched itself."


@entry("opa.enrolled", subject="opa_server", unmatched=_UNMATCHED)
class OpaServerEnrolled(OpaServerEntry):
    """An OPA server got a credential, with which it fetches policy and reports its decisions."""


@entry("opa.credential_renewed", subject="opa_server", unmatched=_UNMATCHED)
class OpaCredentialRenewed(OpaServerEntry):
    """An OPA server got a new credential; the previous one ended."""


@entry("opa.revoked", subject="opa_server", unmatched=_UNMATCHED)
class OpaServerRevoked(OpaServerEntry):
    """An OPA server was taken out of service, and its credential ended."""
