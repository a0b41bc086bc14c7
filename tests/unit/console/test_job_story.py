"""How far a job has come, from its events."""

from datetime import UTC, datetime, timedelta

import pytest

from governance.console.job_story import steps
from governance.jobs.choices import JobState
from governance.jobs.models import Job, JobEvent

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
HAPPY = [
    JobState.QUEUED,
    JobState.LEASED,
    JobState.RUNNING,
    JobState.MODERATING,
    JobState.RELEASING,
    JobState.SEALING,
    JobState.RELEASED,
]


def events(*states: JobState) -> list[JobEvent]:
    return [JobEvent(to_state=state, at=START + timedelta(seconds=step)) for step, state in enumerate(states)]


def tones(state: JobState, *reached: JobState) -> list[str]:
    return [step.tone for step in steps(Job(state=state), events(*reached))]


def test_a_released_job_has_come_all_the_way():
    assert tones(JobState.RELEASED, *HAPPY) == ["good"] * 7


@pytest.mark.parametrize("reached", range(6))
def test_an_open_job_is_busy_where_it_stands(reached):
    expected = ["good"] * reached + ["busy"] + ["quiet"] * (6 - reached)
    assert tones(HAPPY[reached], *HAPPY[: reached + 1]) == expected


def test_a_job_that_was_sent_back_has_its_way_ahead_of_it_again():
    way = steps(Job(state=JobState.QUEUED), events(*HAPPY[:3], JobState.QUEUED))
    assert [step.at is not None for step in way] == [True] + [False] * 6


@pytest.mark.parametrize("ending", [JobState.DENIED, JobState.CANCELLED, JobState.FAILED])
def test_a_job_that_ended_on_the_way_shows_its_end_last(ending):
    job = Job(state=ending, finished_at=START)
    way = steps(job, events(JobState.QUEUED, JobState.LEASED, ending))
    assert [step.name for step in way] == ["Admitted", "Taken up", job.get_state_display()]
    assert way[-1].at == START
