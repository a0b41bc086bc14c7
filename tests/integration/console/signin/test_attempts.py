"""Limits on attempts to sign in: counted before anything is hashed, for each account and each address."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.test import Client

from governance.audit.models import OutboxEntry
from governance.console.signin import attempts
from tests.html_forms import as_sent
from tests.integration.console.signin.conftest import PASSWORD

pytestmark = pytest.mark.django_db
WRONG = "Please enter the correct username and password"


@pytest.fixture(autouse=True)
def low_limits(settings):
    settings.ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "3/15m/key,5/15m/ip"}


def later(monkeypatch, seconds: float) -> None:
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + seconds)


def test_the_right_password_opens_the_console(ada, attempt, client):
    answer = attempt("ada", PASSWORD)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200


def test_a_wrong_password_is_said(ada, attempt):
    assert WRONG in attempt("ada", "wrong").text


def test_an_account_waits_after_too_many_attempts_and_nothing_more_is_hashed(ada, attempt, hashed):
    assert [attempt("ada", "wrong").status_code for _ in range(3)] == [200, 200, 200]
    hashed.clear()

    answer = attempt("ada", PASSWORD, address="198.51.100.9")

    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 900
    assert "Try again in 15 minutes" in answer.text
    assert hashed == []


@pytest.mark.parametrize("name", ["ADA", " ada ", "\N{FULLWIDTH LATIN SMALL LETTER A}da"])
def test_a_name_in_another_spelling_is_the_same_account(name, ada, attempt):
    assert [attempt("ada", "wrong").status_code for _ in range(3)] == [200, 200, 200]
    assert attempt(name, PASSWORD).status_code == 429


def test_unknown_and_barred_accounts_answer_like_known_ones(ada, attempt, hashed):
    User.objects.create_user("gone", password=PASSWORD, is_staff=True, is_active=False)
    User.objects.create_user("guest", password=PASSWORD)
    hashed.clear()
    answers = [attempt(name, PASSWORD) for name in ("nobody", "gone", "guest")]

    assert [(answer.status_code, WRONG in answer.text) for answer in answers] == [(200, True)] * 3
    assert len(hashed) == 3


def test_unknown_accounts_wait_like_known_ones(attempt):
    assert [attempt("nobody", "wrong").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_an_address_waits_after_too_many_attempts_on_any_accounts(ada, attempt):
    assert {attempt(f"name-{number}", "wrong").status_code for number in range(5)} == {200}
    assert attempt("ada", PASSWORD).status_code == 429
    assert attempt("ada", PASSWORD, address="198.51.100.9").status_code == 302


def test_a_header_that_no_trusted_proxy_set_moves_nobody_to_another_address(ada, attempt):
    sent = [attempt(f"name-{number}", "wrong", HTTP_X_FORWARDED_FOR=f"203.0.113.{number}") for number in range(6)]
    assert [answer.status_code for answer in sent] == [200] * 5 + [429]


def test_behind_a_trusted_proxy_the_address_that_it_saw_counts(ada, attempt, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    sent = [
        attempt(f"name-{number}", "wrong", HTTP_X_FORWARDED_FOR=f"10.9.8.7, 203.0.113.{number}") for number in range(6)
    ]
    assert {answer.status_code for answer in sent} == {200}


def test_successful_attempts_do_not_count(ada, attempt):
    assert {attempt("ada", PASSWORD, by=Client()).status_code for _ in range(5)} == {302}


def test_the_wait_ends_by_itself(ada, attempt, monkeypatch):
    assert [attempt("ada", "wrong").status_code for _ in range(4)] == [200, 200, 200, 429]
    later(monkeypatch, 901)
    assert attempt("ada", PASSWORD).status_code == 302


def test_a_lock_is_on_record_once_and_without_the_name(ada, attempt):
    assert [attempt("ada", "wrong").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    entry = OutboxEntry.objects.get(kind="user.sign_in_locked")
    assert (entry.subject_id, entry.actor_id) == (str(ada.pk), "sign-in")
    assert b"ada" not in bytes(entry.body)


def test_attempts_on_unknown_accounts_leave_nothing_on_record(attempt):
    assert [attempt("nobody", "wrong").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert not OutboxEntry.objects.filter(kind="user.sign_in_locked").exists()


def test_an_administrator_ends_the_wait(ada, attempt, boss):
    assert [attempt("ada", "wrong").status_code for _ in range(4)] == [200, 200, 200, 429]
    address = f"/admin/auth/user/{ada.pk}"
    assert "Sign-in locked" in boss.get(f"{address}/change/").text

    assert boss.post(f"{address}/unlock/", as_sent(boss.get(f"{address}/unlock/").text)).status_code == 302

    assert attempt("ada", PASSWORD).status_code == 302
    assert OutboxEntry.objects.filter(kind="user.sign_in_unlocked", subject_id=str(ada.pk)).count() == 1


def test_only_who_may_change_users_ends_a_wait(ada, person):
    assert person("Auditor").post(f"/admin/auth/user/{ada.pk}/unlock/").status_code == 403


def test_while_others_wait_for_a_hash_an_attempt_is_refused_at_once_and_given_back(ada, attempt, hashed, monkeypatch):
    monkeypatch.setattr(attempts, "_waiting", attempts.BoundedSemaphore(1))
    with attempts.hashing_slot():
        answers = [attempt("ada", PASSWORD) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [503] * 4
    assert (answers[0]["Retry-After"], hashed) == ("2", [])
    assert attempt("ada", PASSWORD).status_code == 302


def test_of_many_attempts_at_once_one_is_hashed_at_a_time_and_few_wait(monkeypatch):
    hashing, most, go = [], [], threading.Barrier(16)

    def one() -> str:
        go.wait()
        try:
            with attempts.hashing_slot():
                hashing.append(1)
                most.append(len(hashing))
                time.sleep(0.2)
                hashing.pop()
        except attempts.SignInRefused as refused:
            return str(refused.code)
        return "hashed"

    with ThreadPoolExecutor(16) as pool:
        ended = [each.result() for each in [pool.submit(one) for _ in range(16)]]

    assert (max(most), ended.count("hashed"), ended.count("sign_in_busy")) == (1, 3, 13)


def test_an_address_that_floods_the_page_is_refused(settings, attempt):
    settings.ACCOUNT_RATE_LIMITS = {"login": "2/m/ip", "login_failed": "9/m/key"}
    answers = [attempt("ada", "wrong") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2]["Retry-After"] == "60"


def test_the_next_page_is_never_elsewhere(ada, client):
    sent = {"login": "ada", "password": PASSWORD, "next": "https://evil.example/"}
    assert client.post("/admin/login/", sent)["Location"] == "/admin/"


def test_the_page_after_signing_in_is_the_one_that_was_asked_for(ada, client):
    asked = client.get("/admin/jobs/job/")["Location"]
    page = client.get(asked)
    assert page.status_code == 200
    assert (
        client.post(asked, as_sent(page.text) | {"login": "ada", "password": PASSWORD})["Location"]
        == "/admin/jobs/job/"
    )
