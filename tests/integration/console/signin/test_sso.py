"""Single sign-on with a real provider: django-oauth-toolkit in a process of its own."""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth.models import Group, User
from django.test import Client

from governance.audit.models import OutboxEntry
from governance.audit.types import Actor
from governance.console.accounts import deactivate_user
from governance.console.roles import ensure_roles
from governance.console.signin.claims import parsed_claims, verified_claims
from tests.integration.console.signin.conftest import PASSWORD
from tests.oidc.provider import CLIENT_ID, CLIENT_SECRET
from tests.waiting import wait_until

pytestmark = [pytest.mark.django_db, pytest.mark.running_clock]
BEGIN, DONE, LOGIN = "/admin/account/sso/", "/admin/account/sso/done/", "/admin/login/"
OPERATOR = Actor("system", "operator")
ADA: dict[str, object] = {
    "preferred_username": "ada.lindqvist",
    "given_name": "Ada",
    "family_name": "Lindqvist",
    "email": "ada@example.com",
    "email_verified": True,
    "groups": ["staff", "policy-team"],
}


class Provider:
    """The provider's process, and a browser in front of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "people.json").write_text(json.dumps(["ada", "bruno"]))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.issuer = f"http://127.0.0.1:{self.port}/o"
        command = [sys.executable, "-m", "tests.oidc.provider", str(self.port), str(directory)]
        self.process = subprocess.Popen([*command, f"http://testserver{DONE}"])

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.issuer}/.well-known/openid-configuration/", timeout=5).ok
        except requests.ConnectionError:
            return False

    def says(self, name: str, **claims: object) -> None:
        """Set what the provider says of a person from now on."""
        (self.directory / f"{name}.json").write_text(json.dumps({**ADA, **claims}))

    def authorize(self, address: str, name: str) -> str:
        """Log in at the provider as its login page asks; return where it sends the browser back to."""
        browser = requests.Session()
        page = browser.get(address, timeout=30)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        form = {"csrfmiddlewaretoken": token[1], "username": name, "password": name}
        answer = browser.post(page.url, data=form, timeout=30, allow_redirects=False)
        answer = browser.get(
            f"http://127.0.0.1:{self.port}{answer.headers['Location']}", timeout=30, allow_redirects=False
        )
        return answer.headers["Location"]


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[Provider]:
    provider = Provider(tmp_path_factory.mktemp("provider"))
    try:
        wait_until(provider.answers, pause=0.2)
        yield provider
    finally:
        provider.process.terminate()
        provider.process.wait()


@pytest.fixture
def provider(running, settings, db) -> Provider:
    settings.ASSENT_OIDC_ISSUER = running.issuer
    settings.ASSENT_OIDC_CLIENT_ID = CLIENT_ID
    settings.ASSENT_OIDC_CLIENT_SECRET = CLIENT_SECRET
    settings.ASSENT_OIDC_ROLES = {"policy-team": ["Policy author"], "auditors": ["Auditor"]}
    settings.ASSENT_OIDC_SECOND_FACTOR = ["mfa"]
    ensure_roles()
    running.says("ada")
    running.says("bruno", preferred_username="bruno", email="bruno@example.com")
    return running


def sign_in(provider: Provider, name: str = "ada", *, by: Client | None = None, begin: str = BEGIN) -> Client:
    """Sign in as a browser does; the last answer is at `client.answer`."""
    client = by or Client()
    back = provider.authorize(client.get(begin)["Location"], name)
    client.answer = client.get(back.removeprefix("http://testserver"))
    return client


def roles(user: User) -> set[str]:
    return {group.name for group in user.groups.all()}


def test_a_first_sign_in_makes_an_account_with_the_roles_of_the_groups(provider):
    client = sign_in(provider)

    assert client.answer["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    ada = User.objects.get(username="ada.lindqvist")
    assert (ada.get_full_name(), ada.email, ada.has_usable_password()) == ("Ada Lindqvist", "ada@example.com", False)
    assert (ada.is_staff, ada.is_superuser, roles(ada)) == (True, False, {"Policy author"})
    kinds = {*OutboxEntry.objects.filter(subject_type="user", subject_id=str(ada.pk)).values_list("kind", flat=True)}
    assert kinds == {"user.created", "user.provider_linked"}


def test_what_the_provider_says_of_a_person_is_not_kept(provider):
    sign_in(provider)
    assert SocialAccount.objects.get().extra_data == {}


def test_the_request_has_pkce_state_and_nonce_and_takes_nothing_from_outside(provider):
    asked = parse_qs(
        urlsplit(Client().get(f"{BEGIN}?scope=admin&auth_params=nonce%3Dmine&prompt=none")["Location"]).query
    )
    assert asked["code_challenge_method"] == ["S256"]
    assert min(len(asked[name][0]) for name in ("state", "nonce", "code_challenge")) >= 16
    assert {*asked["scope"][0].split()} == {"openid", "profile", "email"}
    assert ("prompt" in asked, asked["nonce"] == ["mine"]) == (False, False)


def test_roles_are_set_at_every_sign_in_and_taken_away_too(provider):
    sign_in(provider)
    provider.says("ada", groups=["auditors"])
    sign_in(provider)
    ada = User.objects.get(username="ada.lindqvist")
    assert roles(ada) == {"Auditor"}

    provider.says("ada", groups=["staff"])
    client = sign_in(provider)

    assert (client.answer["Location"], roles(ada)) == (LOGIN, set())
    assert "None of your groups gives you a role here" in client.get(LOGIN).text
    assert client.get("/admin/").status_code == 302


def test_roles_that_no_group_gives_are_left_to_the_console(provider):
    sign_in(provider)
    ada = User.objects.get(username="ada.lindqvist")
    ada.groups.add(Group.objects.create(name="Interns"))
    sign_in(provider)
    assert roles(ada) == {"Policy author", "Interns"}


def test_a_lost_role_ends_open_sessions(provider):
    provider.says("ada", groups=["policy-team", "auditors"])
    client = sign_in(provider)
    provider.says("ada", groups=["auditors"])
    sign_in(provider)
    assert client.get("/admin/").status_code == 302


def test_somebody_without_a_role_gets_no_account(provider):
    provider.says("ada", groups="staff")
    assert sign_in(provider).answer["Location"] == LOGIN
    assert not User.objects.exists()


def test_no_name_and_no_address_leads_to_an_account_that_was_there(provider):
    boss = User.objects.create_superuser("ada.lindqvist", "ada@example.com", PASSWORD)
    client = sign_in(provider)
    assert client.answer["Location"] == "/admin/"
    made = User.objects.exclude(pk=boss.pk).get()
    assert (made.username[:4], made.is_superuser) == ("sso-", False)


def test_an_address_that_nobody_verified_is_not_taken_over(provider):
    provider.says("ada", email_verified=False)
    sign_in(provider)
    assert User.objects.get().email == ""


def test_two_people_have_two_accounts_whatever_they_call_themselves(provider):
    sign_in(provider)
    provider.says("bruno", preferred_username="ADA.lindqvist")
    sign_in(provider, "bruno")
    assert User.objects.count() == 2


def test_an_account_that_was_deactivated_here_stays_out(provider):
    sign_in(provider)
    deactivate_user(user=User.objects.get(), actor=OPERATOR)
    client = sign_in(provider)
    assert "Your account here is deactivated" in client.get(LOGIN).text
    assert client.get("/admin/").status_code == 302


def test_an_answer_to_another_browser_signs_nobody_in(provider):
    mine, victim = Client(), Client()
    back = provider.authorize(mine.get(BEGIN)["Location"], "ada").removeprefix("http://testserver")
    victim.get(BEGIN)
    assert victim.get(back)["Location"] == LOGIN
    assert victim.get("/admin/").status_code == 302


def test_an_answer_works_once(provider):
    client = Client()
    back = provider.authorize(client.get(BEGIN)["Location"], "ada").removeprefix("http://testserver")
    assert client.get(back)["Location"] == "/admin/"
    again = Client()
    again.cookies = client.cookies
    assert again.get(back)["Location"] == LOGIN


def test_a_token_with_another_nonce_signs_nobody_in(provider):
    client = Client()
    asked = client.get(BEGIN)["Location"]
    other = re.sub(r"nonce=[^&]+", "nonce=another", asked)
    back = provider.authorize(other, "ada").removeprefix("http://testserver")
    assert client.get(back)["Location"] == LOGIN
    assert not User.objects.exists()


def test_an_answer_from_another_issuer_is_refused(provider):
    client = Client()
    back = provider.authorize(client.get(BEGIN)["Location"], "ada").removeprefix("http://testserver")
    mixed = f"{re.sub('&iss=[^&]+', '', back)}&iss=https%3A%2F%2Fevil.example"
    assert client.get(mixed)["Location"] == LOGIN


def test_a_configuration_of_another_issuer_is_refused(provider, settings):
    client = Client()
    back = provider.authorize(client.get(BEGIN)["Location"], "ada").removeprefix("http://testserver")
    settings.ASSENT_OIDC_ISSUER = f"http://127.0.0.1:{provider.port}/o/.well-known/openid-configuration/?"
    assert client.get(back)["Location"] == LOGIN
    assert not User.objects.exists()


def test_a_cancelled_sign_in_is_said(provider):
    client = Client()
    state = parse_qs(urlsplit(client.get(BEGIN)["Location"]).query)["state"][0]
    client.get(f"{DONE}?error=access_denied&state={state}")
    assert "You cancelled the sign-in." in client.get(LOGIN).text


def test_the_page_after_is_the_one_that_was_asked_for_and_never_elsewhere(provider):
    assert sign_in(provider, begin=f"{BEGIN}?next=/admin/jobs/job/").answer["Location"] == "/admin/jobs/job/"
    assert sign_in(provider, begin=f"{BEGIN}?next=https://evil.example/").answer["Location"] == "/admin/"


def test_the_second_factor_of_the_provider_counts_if_it_says_so(provider, settings):
    settings.ASSENT_SECOND_FACTOR = "required"
    assert sign_in(provider).get("/admin/")["Location"] == "/admin/account/"
    provider.says("ada", amr=["pwd", "mfa"])
    assert sign_in(provider).get("/admin/").status_code == 200
    provider.says("ada", acr="mfa")
    assert sign_in(provider).get("/admin/").status_code == 200
    provider.says("ada", amr=["pwd", "sms"])
    assert sign_in(provider).get("/admin/").status_code == 302


def test_a_factor_set_up_here_is_asked_for_unless_the_provider_did(provider, settings):
    settings.ASSENT_SECOND_FACTOR = "required"
    sign_in(provider)
    Authenticator.objects.create(user=User.objects.get(), type="totp", data={"secret": "x"})
    assert sign_in(provider).answer["Location"] == "/admin/account/second-factor/"
    provider.says("ada", amr=["mfa"])
    assert sign_in(provider).answer["Location"] == "/admin/"


def test_the_providers_factor_of_one_person_does_not_count_for_another(provider, settings):
    settings.ASSENT_SECOND_FACTOR = "required"
    provider.says("ada", amr=["mfa"])
    client = sign_in(provider)
    session = client.session
    other = User.objects.create_user("other", password=PASSWORD, is_staff=True)
    other.groups.add(Group.objects.get(name="Policy author"))
    stolen = Client()
    stolen.force_login(other)
    kept = stolen.session
    kept["assent_provider_second_factor"] = session["assent_provider_second_factor"]
    kept.save()
    assert stolen.get("/admin/")["Location"] == "/admin/account/"


def test_passwords_can_be_switched_off(provider, settings, hashed):
    settings.ASSENT_LOCAL_LOGIN = "off"
    User.objects.create_superuser("boss", password=PASSWORD)
    hashed.clear()
    page = Client().get(LOGIN).text
    assert ("Log in with single sign-on" in page, 'name="password"' in page) == (True, False)
    client = Client()
    client.post(LOGIN, {"login": "boss", "password": PASSWORD})
    assert (client.get("/admin/").status_code, hashed, Client().login(username="boss", password=PASSWORD)) == (
        302,
        [],
        False,
    )
    assert sign_in(provider).answer["Location"] == "/admin/"


def test_the_sign_in_page_offers_both_ways(provider):
    page = Client().get(f"{LOGIN}?next=/admin/jobs/job/").text
    assert f'href="{BEGIN}?next=/admin/jobs/job/"' in page
    assert 'name="password"' in page


def test_without_a_provider_there_is_no_single_sign_on(db):
    assert [Client().get(address).status_code for address in (BEGIN, DONE)] == [404, 404]
    assert "single sign-on" not in Client().get(LOGIN).text


GOOD = {"iss": "https://id.example", "sub": "1", "aud": CLIENT_ID, "exp": time.time() + 60, "iat": time.time()}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"sub": ""}, "names nobody"),
        ({"sub": "x" * 151}, "names nobody"),
        ({"sub": 7}, "names nobody"),
        ({"aud": [CLIENT_ID, "other"]}, "another client"),
        ({"aud": [CLIENT_ID, "other"], "azp": "other"}, "another client"),
    ],
)
def test_a_token_that_is_not_for_us_is_refused(wrong, said, settings):
    settings.ASSENT_OIDC_CLIENT_ID = CLIENT_ID
    with pytest.raises(OAuth2Error, match=said):
        parsed_claims({**GOOD, **wrong})


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "exp", "iat"])
def test_a_token_without_a_needed_claim_is_refused(name):
    with pytest.raises(OAuth2Error, match=f"lacks {name}"):
        parsed_claims({key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize("token", ["", "x", "x.y.z"])
def test_what_is_no_token_is_refused(token):
    with pytest.raises(OAuth2Error):
        verified_claims(token, configuration={})


@pytest.mark.parametrize(("key", "algorithm"), [(None, "none"), ("a key of 32 bytes that both know!", "HS256")])
def test_a_token_that_anybody_could_sign_is_refused(key, algorithm):
    with pytest.raises(OAuth2Error, match="not accepted"):
        verified_claims(jwt.encode(GOOD, key, algorithm=algorithm), configuration={"jwks_uri": "", "issuer": ""})


def test_a_token_of_another_key_is_refused(provider):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    configuration = requests.get(f"{provider.issuer}/.well-known/openid-configuration", timeout=30).json()
    known = requests.get(configuration["jwks_uri"], timeout=30).json()["keys"][0]["kid"]
    forged = jwt.encode({**GOOD, "iss": configuration["issuer"]}, key, algorithm="RS256", headers={"kid": known})
    with pytest.raises(OAuth2Error):
        verified_claims(forged, configuration=configuration)
