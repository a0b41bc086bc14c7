"""API clients in the console: access, secrets that are shown once, keys."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse

from governance.console.presentation import list_url, page_url
from governance.kernel import clock
from governance.partners.client_keys import add_key
from governance.partners.client_secrets import rotate_secret
from governance.partners.models import ApiClient
from tests.factories.assertions import private_key, public_jwk
from tests.factories.partners import ACTOR, client_with_secret, is_earlier_secret, is_newest_secret, raw_token
from tests.html_forms import as_sent

ADD = "admin:partners_apiclient_add"
PAGES = ["rename", "disable", "enable", "rotate", "end_earlier", "add_key", "remove_key"]


def url(page: str, client: ApiClient) -> str:
    return reverse(f"admin:partners_apiclient_{page}", args=[client.pk])


@pytest.fixture
def manager(person):
    return person("Governance manager")


@pytest.fixture
def known(market):
    return client_with_secret(market.partner)


@pytest.fixture
def client_(known) -> ApiClient:
    return known[0]


def fill(manager, page: str, **entered: list[str]) -> dict[str, list[str]]:
    return as_sent(manager.get(page).text) | entered


def test_a_form_that_is_sent_twice_makes_one_client_and_shows_its_secret_once(market, manager):
    entered = {
        "partner": [str(market.partner.pk)],
        "name": ["Photo app"],
        "actions": ["asset.infer"],
        "purposes": ["commercial"],
    }
    sent = fill(manager, reverse(ADD), **entered)

    first, second = manager.post(reverse(ADD), sent), manager.post(reverse(ADD), sent)

    assert first.context["secret"] in first.text
    assert "no-store" in first["Cache-Control"]
    client = ApiClient.objects.get(name="Photo app")
    assert f'data-shown-once="{page_url(client)}"' in first.text
    assert second.url == list_url(ApiClient)
    assert "cannot be shown again" in manager.get(second.url).text


def test_a_rotation_that_is_sent_twice_gives_one_secret(client_, known, manager):
    sent = fill(manager, url("rotate", client_))

    first, second = manager.post(url("rotate", client_), sent), manager.post(url("rotate", client_), sent)

    client_.refresh_from_db()
    assert is_newest_secret(client_, first.context["secret"])
    assert is_earlier_secret(client_, known[1])
    assert second.url == page_url(client_)
    page = manager.get(second.url).text
    assert "cannot be shown again" in page
    assert first.context["secret"] not in page
    assert "The one before is good until" in page


def test_a_rotation_may_end_the_present_secret_at_once(client_, known, manager):
    sent = fill(manager, url("rotate", client_), ending=["at_once"], earlier_until=[""])

    answer = manager.post(url("rotate", client_), sent)

    client_.refresh_from_db()
    assert is_newest_secret(client_, answer.context["secret"])
    assert not is_earlier_secret(client_, known[1])


@pytest.mark.parametrize("until", ["", "2001-01-01T00:00:00", "9999-12-31T23:59:59", "soon"])
def test_an_overlap_out_of_bounds_is_reported_at_the_field(client_, known, manager, until):
    sent = fill(manager, url("rotate", client_), earlier_until=[until])

    answer = manager.post(url("rotate", client_), sent)

    assert "earlier_until" in answer.context["form"].errors
    client_.refresh_from_db()
    assert is_newest_secret(client_, known[1])


def test_an_overlap_is_ended(client_, known, manager):
    rotate_secret(client=client_, earlier_until=clock.now() + timedelta(hours=1), actor=ACTOR)
    assert url("end_earlier", client_) in manager.get(page_url(client_)).text

    answer = manager.post(url("end_earlier", client_), fill(manager, url("end_earlier", client_)))

    assert answer.url == page_url(client_)
    client_.refresh_from_db()
    assert not is_earlier_secret(client_, known[1])


def test_a_client_is_disabled_with_a_reason_and_enabled_again(client_, manager):
    raw_token(client_)
    sent = fill(manager, url("disable", client_), reason=["secret_leaked"])
    assert "reason" in manager.post(url("disable", client_), sent | {"reason": [""]}).context["form"].errors

    assert manager.post(url("disable", client_), sent).url == page_url(client_)

    page = manager.get(page_url(client_)).text
    assert "Live tokens that were revoked: 1." in page
    assert "Disabled" in page
    sent = fill(manager, url("enable", client_), reason=["resolved"])
    manager.post(url("enable", client_), sent)
    client_.refresh_from_db()
    assert client_.disabled_at is None


def test_a_client_is_renamed(client_, manager):
    manager.post(url("rename", client_), fill(manager, url("rename", client_), name=["Photo app"]))

    client_.refresh_from_db()
    assert client_.name == "Photo app"


def test_keys_are_added_and_removed(client_, manager):
    first, second = (json.dumps(public_jwk("EdDSA", private_key("EdDSA", name=name), kid=name)) for name in "ab")
    manager.post(url("add_key", client_), fill(manager, url("add_key", client_), jwk=[first]))
    manager.post(url("add_key", client_), fill(manager, url("add_key", client_), jwk=[second]))
    page = manager.get(page_url(client_)).text
    assert url("rotate", client_) not in page
    assert "Remove" in page

    manager.post(url("remove_key", client_), fill(manager, url("remove_key", client_), kid=["a"]))

    assert [*client_.keys.values_list("kid", flat=True)] == ["b"]


@pytest.mark.parametrize("jwk", ["", "{", "[]", '{"kty": "oct", "k": "AA"}', '{"kty": "EC", "kty": "EC"}'])
def test_what_is_no_public_key_is_reported_at_the_field(client_, manager, jwk):
    answer = manager.post(url("add_key", client_), fill(manager, url("add_key", client_), jwk=[jwk]))

    assert "jwk" in answer.context["form"].errors
    assert not client_.keys.exists()


def test_the_last_key_is_not_removed(client_, manager):
    add_key(client=client_, jwk=public_jwk("EdDSA", private_key("EdDSA"), kid="only"), actor=ACTOR)

    answer = manager.post(url("remove_key", client_), fill(manager, url("remove_key", client_), kid=["only"]))

    assert "last key" in answer.text
    assert client_.keys.count() == 1


def test_an_unused_client_is_deleted_after_a_confirmation_and_a_used_one_is_not(client_, manager):
    delete = reverse("admin:partners_apiclient_delete", args=[client_.pk])
    assert delete in manager.get(page_url(client_)).text
    assert manager.get(delete).status_code == 200
    raw_token(client_)
    assert delete not in manager.get(page_url(client_)).text
    assert manager.post(delete, {"post": "yes"}).status_code == 403
    unused, _ = client_with_secret(client_.partner)

    manager.post(reverse("admin:partners_apiclient_delete", args=[unused.pk]), {"post": "yes"})

    assert not ApiClient.objects.filter(pk=unused.pk).exists()


@pytest.mark.parametrize("page", PAGES)
def test_an_auditor_changes_no_client(client_, person, page):
    auditor = person("Auditor")
    assert url(page, client_) not in auditor.get(page_url(client_)).text
    assert auditor.get(url(page, client_)).status_code == 403
    assert auditor.post(url(page, client_), {}).status_code == 403


def test_the_list_says_when_a_client_was_last_used(client_, manager):
    raw_token(client_)

    page = manager.get(list_url(ApiClient)).text

    assert "Last used" in page
    client_.refresh_from_db()
    assert client_.last_used_at.isoformat() in page
