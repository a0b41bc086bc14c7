"""Errors of the decisions area."""

from governance.kernel.errors import Forbidden, NotFound


class DecisionNotFound(NotFound):
    """There is no such decision, or not one of this partner."""

    code = "decision_not_found"


class PermitInvalid(Forbidden):
    """A permit may not be used.

    Codes: permit_malformed, permit_forged, permit_unknown, permit_expired, permit_replayed, permit_input_mismatch,
    permit_artifact_mismatch, permit_job_mismatch, permit_superseded,
    permit_consent_changed, permit_policy_changed, permit_not_decided.
    """

    code = "permit_invalid"
    title = "The permit is not valid"
