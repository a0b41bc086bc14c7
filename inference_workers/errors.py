"""Errors of the worker fleet. Codes are stable and end up in job records."""

from governance.kernel.errors import GovernanceError
from governance.kernel.reason_codes import ReasonCode


class RuntimeFault(GovernanceError):
    """A worker could not carry out its part of a job.

    Codes: `artifact_unloadable`, `model_config_invalid`, `permit_missing`, `moderator_unloadable`, `moderator_failed`,
    `moderation_views_exceeded`. Pictures that cannot be used are PictureRefused.
    """

    code = "runtime_fault"
    title = "The worker could not carry out its part"


class ObligationUnsupported(GovernanceError):
    """An obligation of the decision is unknown here, or asks for something that its handler does not understand."""

    code = ReasonCode.OBLIGATION_UNSUPPORTED.value
    title = "An obligation cannot be carried out"
