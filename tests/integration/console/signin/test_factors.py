"""Second factors: whoever can widen what is allowed has one, and nobody gets past it."""

import json
import re
import time

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, User
from django.test import Client

from governance.audit.models import OutboxEntry
from governance.audit.types import Actor
from governance.console.access import approve_access, take_factors
from governance.console.accounts import set_password
from governance.console.errors import AccessRefused, AccountConflict, SecondPersonNeeded
from governance.console.models import AccessProposal
from governance.console.roles import ROLES, ensure_roles
from governance.console.signin.factors import reset_factors
from tests.html_forms import as_sent
from tests.integration.console.signin.conftest import PASSWORD
from tests.totp import code_of, secret_on

pytestmark = pytest.mark.django_db
ACCOUNT = "/admin/account/"
APP, CODES, CONFIRM = f"{ACCOUNT}app/add/", f"{ACCOUNT}recovery-codes/", f"{ACCOUNT}confirm/"
OPERATOR = Actor("system", "operator")


@pytest.fixture(autouse=True)
def required(settings):
    settings.ASSENT_SECOND_FACTOR = "required"


@pytest.fixture
def author(db) -> User:
    ensure_roles()
    user = User.objects.create_user("author", password=PASSWORD, is_staff=True)
    user.groups.set([Group.objects.get(name="Policy author")])
    return user


def entries(kind: str) -> int:
    return OutboxEntry.objects.filter(kind=kind).count()


def sign_in(name: str, by: Client | None = None) -> Client:
    client = by or Client()
    client.post("/admin/login/", {"login": name, "password": PASSWORD})
    return client


def sign_in_with(password: str) -> Client:
    client = Client()
    client.post("/admin/login/", {"login": "author", "password": password})
    return client


def set_up(client: Client) -> str:
    """Set up an app and return its secret."""
    secret = secret_on(client.get(APP).text)
    assert client.post(APP, {"code": code_of(secret)})["Location"] == CODES
    return secret


def later(monkeypatch, seconds: float) -> None:
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + seconds)


@pytest.fixture
def secret(author) -> str:
    """Return the secret of the author's app, set up in another session."""
    return set_up(sign_in("author"))


def test_without_a_factor_every_page_leads_to_setting_one_up(author):
    client = sign_in("author")
    for address in ("/admin/", "/admin/rulebook/abacrule/", "/admin/search/", "/admin/auth/user/"):
        assert client.get(address)["Location"] == ACCOUNT
    assert client.post("/admin/rulebook/abacrule/add/", {})["Location"] == ACCOUNT
    assert "Set one up to go on" in client.get(ACCOUNT).text


@pytest.mark.parametrize(("role", "led"), [(name, name != "Auditor") for name in ROLES])
def test_every_role_that_can_widen_needs_one(role, led, author):
    author.groups.set([Group.objects.get(name=role)])
    assert (sign_in("author").get("/admin/").status_code == 302) is led


def test_in_development_nobody_needs_one(author, settings):
    settings.ASSENT_SECOND_FACTOR = "optional"
    assert sign_in("author").get("/admin/").status_code == 200


def test_the_console_leads_to_ones_own_account(boss, settings):
    settings.ASSENT_SECOND_FACTOR = "optional"
    assert f'href="{ACCOUNT}"' in boss.get("/admin/").text


def test_a_factor_that_was_set_up_opens_the_console_and_is_on_record(author):
    client = sign_in("author")
    secret = set_up(client)

    assert client.get("/admin/").status_code == 200
    assert entries("user.second_factor_added") == 1
    assert secret not in "".join(bytes(each.body).decode() for each in OutboxEntry.objects.all())


def test_the_secret_is_stored_encrypted(author, secret):
    assert secret not in str(list(Authenticator.objects.values_list("data", flat=True)))


def test_the_password_alone_no_longer_opens_anything(author, secret):
    client = Client()
    answer = client.post("/admin/login/", {"login": "author", "password": PASSWORD})
    assert answer["Location"] == f"{ACCOUNT}second-factor/"
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    assert client.get(ACCOUNT)["Location"].startswith("/admin/login/")


def test_a_code_signs_in_and_a_wrong_one_does_not(author, secret, monkeypatch):
    later(monkeypatch, 60)
    client = sign_in("author")
    page = f"{ACCOUNT}second-factor/"
    assert "Incorrect code" in client.post(page, {"code": "000000"}).text
    code = code_of(secret)
    assert client.post(page, {"code": code})["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    again = sign_in("author")
    assert "Incorrect code" in again.post(page, {"code": code}).text


def test_wrong_codes_are_limited_like_wrong_passwords(author, secret, settings, monkeypatch):
    settings.ACCOUNT_RATE_LIMITS = {"login": "99/m/ip", "login_failed": "3/15m/key"}
    later(monkeypatch, 60)
    client = sign_in("author")
    page = f"{ACCOUNT}second-factor/"
    assert [client.post(page, {"code": "000000"}).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = client.post(page, {"code": code_of(secret)})
    assert (refused.status_code, refused["Retry-After"]) == (429, "900")
    assert "Try again in 15 minutes" in refused.text
    assert entries("user.sign_in_locked") == 1


def test_a_recovery_code_signs_in_once_and_is_on_record(author):
    client = sign_in("author")
    set_up(client)
    shown = client.get(CODES).text
    code = re.findall(r"^\d{8}$|>(\d{8})\n", shown, flags=re.MULTILINE)[0]
    assert "not shown again" in client.get(CODES).text

    page = f"{ACCOUNT}second-factor/"
    assert sign_in("author").post(page, {"code": code})["Location"] == "/admin/"
    assert "Incorrect code" in sign_in("author").post(page, {"code": code}).text
    assert entries("user.recovery_code_used") == 1


def test_a_session_without_the_factor_has_to_show_it(author, secret):
    client = Client()
    client.force_login(author)
    assert client.get("/admin/jobs/job/")["Location"] == f"{CONFIRM}code/?next=%2Fadmin%2Fjobs%2Fjob%2F"


def test_removing_or_adding_a_factor_needs_the_factor_again_not_the_password(author, secret, monkeypatch):
    later(monkeypatch, 600)
    client = sign_in("author")
    client.post(f"{ACCOUNT}second-factor/", {"code": code_of(secret)})
    remove = f"{ACCOUNT}app/remove/"

    assert client.post(remove)["Location"] == f"{CONFIRM}code/?next=%2Fadmin%2Faccount%2Fapp%2Fremove%2F"
    assert client.get(f"{ACCOUNT}keys/add/")["Location"].startswith(f"{CONFIRM}code/")
    client.post(CONFIRM, {"password": PASSWORD})
    assert client.post(remove)["Location"].startswith(f"{CONFIRM}code/")
    assert Authenticator.objects.filter(type="totp").exists()

    later(monkeypatch, 60)
    client.post(f"{CONFIRM}code/", {"code": code_of(secret)})
    assert client.post(remove)["Location"] == ACCOUNT
    assert not Authenticator.objects.exists()
    assert entries("user.second_factor_removed") == 1
    assert client.get("/admin/")["Location"] == ACCOUNT


def test_a_first_factor_needs_the_password_again_once_the_sign_in_is_old(author, monkeypatch):
    client = sign_in("author")
    later(monkeypatch, 600)
    assert client.get(APP)["Location"] == f"{CONFIRM}?next=%2Fadmin%2Faccount%2Fapp%2Fadd%2F"
    assert client.post(f"{CONFIRM}?next={APP}", {"password": PASSWORD, "next": APP})["Location"] == APP
    assert client.get(APP).status_code == 200


MADE_UP = {"id": "AA", "rawId": "AA", "type": "public-key"}
HOSTILE = [
    "",
    "null",
    "7",
    "[]",
    "{}",
    "NaN",
    "[" * 50_000,
    '{"a":' * 50 + "1" + "}" * 50,
    json.dumps({"id": 1, "rawId": 1, "response": 1, "type": 1}),
    json.dumps({**MADE_UP, "response": {}}),
    json.dumps({**MADE_UP, "response": {"clientDataJSON": "e30", "attestationObject": "oA"}}),
    json.dumps({**MADE_UP, "response": {"clientDataJSON": "AA", "authenticatorData": "AA", "signature": "AA"}}),
    json.dumps({**MADE_UP, "id": "\ud800", "rawId": "\u0000", "response": {"clientDataJSON": "!"}}),
]


@pytest.mark.parametrize("credential", HOSTILE)
@pytest.mark.parametrize("part", ["second-factor/", "keys/add/", "confirm/key/"])
def test_a_credential_that_no_key_made_is_refused(part, credential, author, secret, settings):
    settings.ACCOUNT_RATE_LIMITS = {}
    client = sign_in("author")
    client.get(f"{ACCOUNT}{part}") if part == "second-factor/" else client.force_login(author)
    answer = client.post(f"{ACCOUNT}{part}", {"credential": credential, "name": "Key"})
    assert answer.status_code in (200, 302)
    assert not client.session.get("account_authentication_methods_user") or client.get("/admin/").status_code == 302


def test_new_recovery_codes_end_the_old_ones(author):
    client = sign_in("author")
    set_up(client)
    old = re.findall(r"\b\d{8}\b", client.get(CODES).text)
    client.post(f"{CODES}new/")
    new = re.findall(r"\b\d{8}\b", client.get(CODES).text)
    assert (len(old), len(new), {*old} & {*new}) == (10, 10, set())


def test_somebody_who_lost_the_factor_is_helped_by_two_others(author, secret):
    first, second = (User.objects.create_superuser(name, password=PASSWORD) for name in ("first", "second"))
    with pytest.raises(SecondPersonNeeded):
        reset_factors(user=author, actor=Actor("user", str(first.pk)))

    proposal = take_factors(user=author, actor=Actor("user", str(first.pk))).proposal

    assert Authenticator.objects.exists()
    with pytest.raises(AccessRefused, match="somebody else"):
        approve_access(proposal=proposal, actor=Actor("user", str(first.pk)))
    approve_access(proposal=proposal, actor=Actor("user", str(second.pk)))
    assert not Authenticator.objects.exists()
    assert entries("user.second_factors_reset") == 1


def test_an_account_that_widens_nothing_is_helped_by_one(ada, secret, settings, boss):
    settings.ASSENT_SECOND_FACTOR = "optional"
    set_up(sign_in("ada"))
    address = f"/admin/auth/user/{ada.pk}/factors/"
    assert boss.post(address, as_sent(boss.get(address).text)).status_code == 302
    assert not Authenticator.objects.filter(user=ada).exists()


def test_nobody_resets_their_own_factor(author, secret):
    with pytest.raises(AccountConflict):
        take_factors(user=author, actor=Actor("user", str(author.pk)))


def test_a_reset_on_the_page_becomes_a_proposal(author, secret, settings, boss):
    settings.ASSENT_SECOND_FACTOR = "optional"
    address = f"/admin/auth/user/{author.pk}/factors/"
    answer = boss.post(address, as_sent(boss.get(address).text), follow=True)
    assert "waits for somebody else" in answer.text
    assert AccessProposal.objects.get().kind == "second_factor"


def test_the_password_of_an_account_that_only_it_protects_is_not_set_by_others(author):
    boss = User.objects.create_superuser("first", password=PASSWORD)
    with pytest.raises(AccessRefused, match="no second factor yet"):
        set_password(user=author, password="walnut-umbrella-77", actor=Actor("user", str(boss.pk)))
    set_password(user=author, password="walnut-umbrella-77", actor=OPERATOR)
    set_up(sign_in_with("walnut-umbrella-77"))
    set_password(user=author, password="cinnamon-tractor-31", actor=Actor("user", str(boss.pk)))


def test_a_reset_ends_the_sessions(author):
    client = sign_in("author")
    set_up(client)
    reset_factors(user=author, actor=OPERATOR)
    assert client.get("/admin/")["Location"].startswith("/admin/login/")


def test_ones_own_password_is_changed_with_the_current_one(author, secret, settings):
    settings.ASSENT_SECOND_FACTOR = "optional"
    client = Client()
    client.force_login(author)
    page, new = f"{ACCOUNT}password/", "walnut-umbrella-77"
    assert client.get("/admin/password_change/")["Location"] == page
    wrong = client.post(page, {"current": "wrong", "password": new, "again": new})
    assert "This is not your current password." in wrong.text
    weak = client.post(page, {"current": PASSWORD, "password": "short", "again": "short"})
    assert "too short" in weak.text
    assert client.post(page, {"current": PASSWORD, "password": new, "again": new})["Location"] == ACCOUNT
    assert client.get("/admin/").status_code == 200
    assert User.objects.get(pk=author.pk).check_password(new)
    assert entries("user.password_set") == 1


def test_everybody_signs_themselves_out_everywhere(author, settings):
    settings.ASSENT_SECOND_FACTOR = "optional"
    client, other = sign_in("author"), sign_in("author")
    assert client.post(f"{ACCOUNT}sessions/").status_code == 302
    assert [each.get("/admin/").status_code for each in (client, other)] == [302, 302]


@pytest.mark.parametrize("part", ["signup/", "email/", "password/reset/", "login/code/", "../account/emailaddress/"])
def test_pages_of_the_library_that_are_not_wanted_do_not_exist(part, boss):
    assert boss.get(f"{ACCOUNT}{part}").status_code == 404


@pytest.mark.parametrize("table", ["mfa/authenticator", "account/emailaddress"])
def test_tables_of_the_library_are_not_in_the_console(table, boss):
    assert boss.get(f"/admin/{table}/").status_code in (302, 404)
