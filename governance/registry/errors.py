"""Errors of the model registry. Errors about input name the field in `details["field"]`."""

from governance.kernel.errors import Conflict, IntegrityFault, InvalidInput, NotFound, Unavailable


class ModelNotFound(NotFound):
    """There is no model of this name."""

    code = "model_not_found"
    title = "No such model"


class ModelVersionNotFound(NotFound):
    """The model has no such version or alias."""

    code = "model_version_not_found"
    title = "No such model version"


class ModelInvalid(InvalidInput):
    """The details of a model are not valid."""

    code = "model_invalid"
    title = "The model is not valid"


class ModelInUse(Conflict):
    """A model that has versions or proposals cannot be deleted."""

    code = "model_in_use"
    title = "The model is in use"


class ModelVersionInvalid(InvalidInput):
    """The details of a model version or alias are not valid."""

    code = "model_version_invalid"
    title = "The model version is not valid"


class ArtifactMalformed(InvalidInput):
    """An artifact is not a valid safetensors file."""

    code = "artifact_malformed"
    title = "The artifact is not a sound safetensors file"


class ModelVersionExists(Conflict):
    """The model has a version of this name; versions never change."""

    code = "model_version_exists"
    title = "The version exists already"


class StageRefused(Conflict):
    """A model version cannot move from its stage to the requested one."""

    code = "model_stage_refused"
    title = "The stage cannot be changed so"


class AliasRefused(Conflict):
    """An alias may not point to that version."""

    code = "model_alias_refused"
    title = "The alias cannot be set so"


class ArtifactAltered(IntegrityFault):
    """The bytes of a model artifact differ from those that were registered."""

    code = "artifact_altered"
    title = "A model artifact was altered"


class ArtifactCacheUnavailable(Unavailable):
    """The private directory of artifacts cannot be used, or is open to others."""

    code = "artifact_cache_unavailable"
    title = "The artifact cache is unavailable"


class LicenceInvalid(InvalidInput):
    """A licence cannot be kept as it is."""

    code = "licence_invalid"
    title = "The licence is not valid"


class LicenceWidens(Conflict):
    """One person would let a model be used for more than its licence permits now."""

    code = "licence_widens"
    title = "A second person must approve"
