"""The table of a job's transitions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.jobs.choices import JobState
from governance.jobs.errors import TransitionRefused
from governance.jobs.models import OPEN_STATES, WORKED_ON
from governance.jobs.states import ENDED, GOES_BACK, TAKEN_UP, TRANSITIONS, check_transition

STATES = st.sampled_from(list(JobState))


def test_the_table_names_every_state():
    assert set(TRANSITIONS) == {"", *JobState}


@given(current=STATES, target=STATES)
def test_what_the_table_does_not_name_is_refused(current, target):
    allowed = target in TRANSITIONS[current]
    refused = False
    try:
        check_transition(current, target)
    except TransitionRefused:
        refused = True
    assert refused is not allowed


def test_a_refusal_says_from_where_to_where():
    with pytest.raises(TransitionRefused) as caught:
        check_transition(JobState.RELEASED, JobState.QUEUED)
    assert caught.value.details == {"state": "released", "target": "queued"}


def test_ended_and_open_states_share_out_all_states():
    assert set(OPEN_STATES) | ENDED == set(JobState)
    assert not set(OPEN_STATES) & ENDED


def test_nothing_is_released_without_a_seal_on_its_evidence():
    assert [state for state, following in TRANSITIONS.items() if JobState.RELEASED in following] == [JobState.SEALING]


def test_the_seal_comes_only_after_the_release_decision():
    before_the_seal = [state for state, following in TRANSITIONS.items() if JobState.SEALING in following]
    assert before_the_seal == [JobState.RELEASING]


def test_a_lost_worker_leaves_no_state_without_a_way_back():
    assert set(GOES_BACK) == set(WORKED_ON)
    assert all(back in TRANSITIONS[held] for held, back in GOES_BACK.items())


def test_what_is_taken_up_is_held_under_a_lease():
    assert set(TAKEN_UP.values()) <= set(WORKED_ON)
    assert all(held in TRANSITIONS[waiting] for waiting, held in TAKEN_UP.items())
