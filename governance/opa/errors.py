"""Errors of the OPA area."""

from governance.kernel.errors import Conflict, InvalidInput, NotFound, Unauthenticated


class OpaCredentialInvalid(Unauthenticated):
    """The credential is not that of an enrolled OPA server."""

    code = "opa_credential_invalid"
    title = "The credential is not that of a known OPA server"


class OpaNameTaken(Conflict):
    """Another OPA server has this name."""

    code = "opa_name_taken"
    title = "There is an OPA server of this name"


class OpaRevoked(Conflict):
    """The OPA server was revoked."""

    code = "opa_revoked"
    title = "The OPA server was revoked"


class BundleUnknown(NotFound):
    """There is no bundle of this name."""

    code = "bundle_unknown"
    title = "There is no such bundle"


class UploadMalformed(InvalidInput):
    """An OPA server sent something that is not in OPA's format."""

    code = "opa_upload_malformed"
    title = "The upload cannot be read"


class UploadTooLarge(InvalidInput):
    """An OPA server sent more than is accepted at once."""

    code = "opa_upload_too_large"
    title = "The upload is too large"
