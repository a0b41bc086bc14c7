"""Errors of the workflows."""

from governance.kernel.errors import GovernanceError, InvalidInput, NotFound


class AssetNotFound(NotFound):
    """A job names a work that does not exist, or that this partner may not see."""

    code = "asset_not_found"
    title = "A work was not found"


class TaskMismatch(InvalidInput):
    """The model does a different task than the one requested, or takes a different number of inputs."""

    code = "task_mismatch"
    title = "The model cannot do this task"


class InputTooLarge(InvalidInput):
    """The model would make more pixels of the work than an output may have."""

    code = "input_too_large"
    title = "The work is too large for this model"


class IdempotencyKeyInvalid(InvalidInput):
    """The Idempotency-Key is empty, too long or not printable ASCII."""

    code = "idempotency_key_invalid"
    title = "The Idempotency-Key is not valid"


class JobEnded(GovernanceError):
    """The job has ended while its worker computed; the worker stops, and there is nothing more to record."""

    code = "job_ended"
