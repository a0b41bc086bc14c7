"""Errors of the decisions area."""

from governance.kernel.errors import Conflict, Forbidden, InvalidInput, Unavailable


class PermitInvalid(Forbidden):
    """A permit may not be used.

    Codes: permit_malformed, permit_forged, permit_unknown, permit_expired, permit_replayed, permit_input_mismatch,
    permit_artifact_mismatch, permit_job_mismatch, permit_superseded, permit_token_cut_off,
    permit_consent_changed, permit_licence_changed, permit_policy_changed, permit_not_decided.
    """

    code = "permit_invalid"
    title = "The permit is not valid"


class ModelNeeded(InvalidInput):
    """Whether this is permitted depends on the model that would be used; name it."""

    code = "model_needed"
    title = "A model must be named"


class PermittedSetUnavailable(Unavailable):
    """What the active policy permits cannot be found by a query; ask about one resource at a time."""

    code = "permitted_set_unavailable"
    title = "The permitted set cannot be queried"


class ReplayConflict(Conflict):
    """This replay cannot be asked for, or not be stopped, as things stand."""

    code = "replay_conflict"
