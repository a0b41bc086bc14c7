"""Errors of the OPA area."""

from governance.kernel.errors import Conflict, InvalidInput, NotFound, Unauthenticated


class OpaCredentialInvalid(Unauthenticated):
    """The credential is not that of an OPA server that may talk to us."""

    code = "opa_credential_invalid"
    title = "The credential is not that of a known OPA server"


class OpaNameTaken(Conflict):
    """There is an OPA server of this name already."""

    code = "opa_name_taken"
    title = "There is an OPA server of this name"


class OpaRevoked(Conflict):
    """The OPA server was taken out of service for good."""

    code = "opa_revoked"
    title = "The OPA server was taken out of service"


class BundleUnknown(NotFound):
    """There is no bundle of this name."""

    code = "bundle_unknown"
    title = "There is no such bundle"


class UploadMalformed(InvalidInput):
    """What an OPA server sent is not what OPA sends."""

    code = "opa_upload_malformed"
    title = "The upload cannot be read"


class UploadTooLarge(InvalidInput):
    """What an OPA server sent is larger than we take at once."""

    code = "opa_upload_too_large"
    title = "The upload is too large"
