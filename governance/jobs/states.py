"""The states of a job: the table of allowed transitions."""

from collections.abc import Mapping

from governance.jobs.choices import JobState
from governance.jobs.errors import TransitionRefused

TRANSITIONS: Mapping[str, frozenset[str]] = {
    "": frozenset({JobState.QUEUED, JobState.DENIED}),
    JobState.QUEUED: frozenset({JobState.LEASED, JobState.CANCELLED, JobState.FAILED}),
    JobState.LEASED: frozenset({JobState.RUNNING, JobState.QUEUED, JobState.CANCELLED, JobState.FAILED}),
    JobState.RUNNING: frozenset({JobState.MODERATING, JobState.QUEUED, JobState.CANCELLED, JobState.FAILED}),
    JobState.MODERATING: frozenset({JobState.RELEASING, JobState.CANCELLED, JobState.FAILED}),
    JobState.RELEASING: frozenset(
        {JobState.SEALING, JobState.MODERATING, JobState.DENIED, JobState.CANCELLED, JobState.FAILED}
    ),
    JobState.SEALING: frozenset({JobState.RELEASED}),
    JobState.RELEASED: frozenset(),
    JobState.DENIED: frozenset(),
    JobState.CANCELLED: frozenset(),
    JobState.FAILED: frozenset(),
}

#: The waiting states, and the state of a job once a worker has taken it there.
TAKEN_UP: Mapping[str, JobState] = {JobState.QUEUED: JobState.LEASED, JobState.MODERATING: JobState.RELEASING}

#: The state that a job returns to when its worker is lost or fails for a transient reason.
GOES_BACK: Mapping[str, JobState] = {
    JobState.LEASED: JobState.QUEUED,
    JobState.RUNNING: JobState.QUEUED,
    JobState.RELEASING: JobState.MODERATING,
}

ENDED = frozenset(state for state, following in TRANSITIONS.items() if not following)


def check_transition(current: str, target: str) -> None:
    """Raise TransitionRefused unless the table allows going from `current` ("" for a new job) to `target`."""
    if target not in TRANSITIONS[current]:
        raise TransitionRefused(
            f"A job that is {current or 'new'} cannot become {target}.", details={"state": current, "target": target}
        )
