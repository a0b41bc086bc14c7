"""The console's pages about roles of API clients."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from governance.partners.models import ApiClient, ModelGroup, Role
from governance.partners.rbac import role_permits
from tests.factories.marketplace import Marketplace


@pytest.fixture
def boss(market: Marketplace) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


def page(table: str, part: str = "add", *keys: object) -> str:
    return reverse(f"admin:partners_{table}_{part}", args=keys)


def test_a_role_over_a_group_is_made_given_and_holds(boss: Client, market: Marketplace) -> None:
    model = market.version.model.slug
    assert boss.post(page("modelgroup"), {"slug": "g", "name": "G", "models": [model]}).status_code == 302
    role = {"slug": "runner", "name": "Runner", "grants": "model.invoke group:g\nasset.preview *\n"}
    assert boss.post(page("role"), role).status_code == 302
    api = ApiClient.objects.select_related("partner").first()
    assert api is not None
    assert boss.post(page("apiclient", "roles", api.pk), {"roles": ["runner"]}).status_code == 302

    found = role_permits(client_id=api.client_id, partner=api.partner.slug, action="model.invoke")
    assert (found.actions, found.any_model, found.models) == (("asset.preview", "model.invoke"), False, (model,))
    assert "Runner" in boss.get(page("apiclient", "change", api.pk)).text
    assert "model.invoke group:g" in boss.get(page("role", "changelist")).text
    assert ModelGroup.objects.get().model_slugs == [model]


def test_a_role_shows_what_it_allows_and_is_changed(boss: Client) -> None:
    boss.post(page("role"), {"slug": "some", "name": "Some", "grants": "* *"})
    role = Role.objects.get()
    change = page("role", "change", role.pk)
    assert "* *" in boss.get(change).text

    boss.post(change, {"name": "Some more", "grants": "asset.train *"})

    assert [str(each) for each in Role.objects.get().permissions.all()] == ["asset.train with any model"]


@pytest.mark.parametrize(
    ("grants", "part"),
    [
        ("model.invoke", "write an action and a model"),
        ("a b c", "write an action and a model"),
        ("asset.melt *", "is not a known action"),
        ("* group:none", "There is no model group"),
        ("* nothing", "There is no model"),
    ],
)
def test_what_cannot_be_read_is_reported_at_its_field(boss: Client, grants: str, part: str) -> None:
    answer = boss.post(page("role"), {"slug": "some", "name": "Some", "grants": grants})

    assert part in answer.text
    assert not Role.objects.exists()
