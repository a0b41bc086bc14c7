from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.registry.choices import LicenceState
from governance.registry.models import Licence
from governance.registry.queries import licence_state

START = datetime(2026, 3, 1, tzinfo=UTC)
END = datetime(2026, 4, 1, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
ORDER = [LicenceState.NOT_STARTED, LicenceState.ACTIVE, LicenceState.EXPIRED]
moments = st.datetimes(timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("at", "state"),
    [
        (START - MOMENT, LicenceState.NOT_STARTED),
        (START, LicenceState.ACTIVE),
        (END - MOMENT, LicenceState.ACTIVE),
        (END, LicenceState.EXPIRED),
    ],
)
def test_a_licence_holds_from_its_start_until_just_before_its_end(at: datetime, state: LicenceState) -> None:
    assert licence_state(Licence(valid_from=START, valid_until=END), at) == state


@given(moments)
def test_a_licence_without_end_never_expires(at: datetime) -> None:
    assert licence_state(Licence(valid_from=START), at) != LicenceState.EXPIRED


@given(moments, moments)
def test_a_licence_goes_one_way(one: datetime, other: datetime) -> None:
    licence = Licence(valid_from=START, valid_until=END)

    states = [licence_state(licence, at) for at in sorted([one, other])]

    assert ORDER.index(states[0]) <= ORDER.index(states[1])
