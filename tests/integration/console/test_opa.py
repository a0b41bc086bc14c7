"""The console's pages about OPA servers."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from governance.kernel import clock
from governance.opa.intake import store_logs
from governance.opa.models import OpaServer
from governance.opa.queries import server_of
from governance.opa.services import enrol, store_status
from governance.rulebook.queries import active_program
from tests.factories.marketplace import TESTER
from tests.factories.opa_events import event, status

LIST = "admin:opa_opaserver_changelist"

RECONCILE = "/admin/opa/opaserver/reconcile/"


@pytest.fixture
def boss(market) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def server(market) -> OpaServer:
    return enrol(name="edge-1", actor=TESTER)[0]


def page_of(server: OpaServer, part: str = "change") -> str:
    return reverse(f"admin:opa_opaserver_{part}", args=[server.pk])


def shown_configuration(answer) -> dict:
    return json.loads(unescape(re.search(r'<pre[^>]*id="configuration"[^>]*>(.*?)</pre>', answer.text, re.S)[1]))


def test_enrolling_shows_the_configuration_once(boss):
    answer = boss.post(reverse("admin:opa_opaserver_add"), {"name": "edge-1", "url": "https://assent.example"})
    token = shown_configuration(answer)["services"]["assent"]["credentials"]["bearer"]["token"]
    assert "no-store" in answer["Cache-Control"]
    assert server_of(token).name == "edge-1"
    assert token not in boss.get(page_of(OpaServer.objects.get())).text


@pytest.mark.parametrize("name", ["Edge 1", "edge-1"])
def test_a_name_that_cannot_be_taken_is_reported_at_its_field(boss, server, name):
    answer = boss.post(reverse("admin:opa_opaserver_add"), {"name": name, "url": "https://assent.example"})
    assert answer.status_code == 200
    assert OpaServer.objects.count() == 1
    assert answer.context["form"].errors["name"]


def test_a_server_that_was_never_seen(boss, server):
    assert "Never seen" in boss.get(reverse(LIST)).text
    assert "It has not reported yet" in boss.get(page_of(server)).text


def test_how_a_server_does(boss, server):
    store_status(server=server, report=status("0" * 64))
    assert "Behind" in boss.get(reverse(LIST)).text
    store_status(server=server, report=status(active_program().revision))
    assert "Up to date" in boss.get(reverse(LIST)).text
    store_status(server=server, report=status(active_program().revision, message="digest mismatch"))
    page = boss.get(page_of(server)).text
    assert "Refuses the bundle" in page
    assert "digest mismatch" in page
    OpaServer.objects.update(last_seen_at=clock.now() - timedelta(hours=1))
    assert "Silent" in boss.get(reverse(LIST)).text


def test_its_logs_are_listed(boss, server):
    store_logs(server=server, events=[event("d-1")])
    assert "d-1" in boss.get(page_of(server)).text
    assert "edge-1" in boss.get(reverse("admin:opa_opadecisionlog_changelist")).text


def test_questions_asked_past_assent_are_named_in_pages(boss, server):
    store_logs(server=server, events=[event(f"stranger-{number:02}", path="assent/x") for number in range(30)])
    page = boss.get(RECONCILE).text
    assert ("stranger-00" in page, "stranger-29" in page, "Page 1 of 2" in page) == (True, False, True)
    assert "stranger-29" in boss.get(f"{RECONCILE}?hours=1&page=2").text
    assert "Asked past Assent" in boss.get(reverse("admin:index")).text


def test_where_nobody_asked_past_assent_the_page_says_so(boss, server):
    assert "Nobody asked past Assent" in boss.get(RECONCILE).text
    assert "Asked past Assent" not in boss.get(reverse("admin:index")).text


def test_what_was_not_taken_is_shown(boss, server):
    store_logs(server=server, events=[{}, event()])
    for url in (RECONCILE, page_of(server)):
        assert "decision_id is not a text of 1 to 100 characters" in boss.get(url).text


def test_a_new_credential(boss, server):
    boss.get(page_of(server, "renew"))
    answer = boss.post(page_of(server, "renew"), {"url": "https://assent.example"})
    token = shown_configuration(answer)["services"]["assent"]["credentials"]["bearer"]["token"]
    assert server_of(token) == server


def test_out_of_service(boss, server):
    boss.post(page_of(server, "revoke"))
    server.refresh_from_db()
    assert server.revoked_at is not None
    assert "Revoked" in boss.get(reverse(LIST)).text


@pytest.mark.parametrize("part", ["renew", "revoke"])
def test_who_may_only_look_changes_nothing(server, market, part):
    client = Client()
    client.force_login(User.objects.create_user("guest", is_staff=True))
    assert client.post(page_of(server, part), {"url": "https://x.example"}).status_code == 403
