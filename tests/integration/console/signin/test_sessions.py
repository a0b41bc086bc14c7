"""When sessions end."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from governance.audit.models import OutboxEntry
from governance.audit.types import Actor
from governance.console.accounts import Access, Person, activate_user, change_user, deactivate_user, set_password
from governance.console.signin.sessions import sign_out_everywhere
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from tests.html_forms import as_sent

pytestmark = pytest.mark.django_db
ADMIN = Actor("user", "9999")


@pytest.fixture
def time():
    """Return the clock, which the tests move."""
    with clock.using(ManualClock(datetime.now(UTC))) as manual:
        yield manual


@pytest.fixture
def signed_in(ada, time, client) -> Client:
    client.force_login(ada)
    assert client.get("/admin/").status_code == 200
    return client


def is_open(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def test_a_session_ends_after_an_idle_hour(signed_in, time):
    time.advance(seconds=3599)
    assert is_open(signed_in)
    time.advance(seconds=3600)
    answer = signed_in.get("/admin/", follow=True)
    assert "nothing happened for a while" in answer.text
    assert not is_open(signed_in)


def test_a_session_that_is_used_ends_twelve_hours_after_the_sign_in(signed_in, time):
    assert [is_open(signed_in) for _ in range(13) if time.advance(seconds=3500) is None] == [True] * 12 + [False]


def test_a_session_that_begins_with_a_password_counts_from_then(ada, attempt, client, time):
    attempt("ada", "correct horse battery staple")
    time.advance(seconds=3601)
    assert not is_open(client)


def test_what_the_browser_makes_of_its_cookie_changes_nothing(signed_in, time):
    cookie = signed_in.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    cookie["max-age"] = 10**9
    time.advance(seconds=13 * 3600)
    assert not is_open(signed_in)


def test_a_moment_that_was_not_written_here_ends_the_session(signed_in):
    session = signed_in.session
    session["assent_session_began"] = "whenever"
    session.save()
    assert not is_open(signed_in)


def test_a_new_password_ends_sessions(ada, signed_in):
    set_password(user=ada, password="walnut-umbrella-77", actor=ADMIN)
    assert not is_open(signed_in)


def test_losing_a_role_ends_sessions(ada, signed_in, time):
    group = Group.objects.create(name="Interns")
    person = Person("ada")
    change_user(user=ada, person=person, access=Access(groups=[group]), actor=ADMIN)
    assert is_open(signed_in)
    change_user(user=ada, person=person, access=Access(groups=[]), actor=ADMIN)
    assert not is_open(signed_in)


def test_losing_the_console_ends_sessions(ada, signed_in):
    change_user(user=ada, person=Person("ada"), access=Access(staff=False), actor=ADMIN)
    assert not is_open(signed_in)


def test_sessions_from_before_a_deactivation_stay_ended(ada, signed_in, time):
    deactivate_user(user=ada, actor=ADMIN)
    time.advance(seconds=1)
    activate_user(user=ada, actor=ADMIN)
    assert not is_open(signed_in)


def test_signing_out_everywhere_ends_every_session_and_no_later_one(ada, signed_in, time):
    other = Client()
    other.force_login(ada)
    assert is_open(other)
    time.advance(seconds=1)

    sign_out_everywhere(user=ada, actor=ADMIN)

    time.advance(seconds=1)
    assert (is_open(signed_in), is_open(other)) == (False, False)
    signed_in.force_login(ada)
    assert is_open(signed_in)
    assert OutboxEntry.objects.filter(kind="user.sessions_ended", subject_id=str(ada.pk)).count() == 1


def test_an_administrator_signs_somebody_out_everywhere(ada, signed_in, boss):
    address = f"/admin/auth/user/{ada.pk}/sessions/"
    assert boss.post(address, as_sent(boss.get(address).text)).status_code == 302
    assert not is_open(signed_in)


def test_requests_without_a_session_read_none(django_assert_num_queries, client):
    with django_assert_num_queries(0):
        assert client.get("/verify/nothing").status_code == 404
