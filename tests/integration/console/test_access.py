"""API clients, tokens and roles in the console."""

from datetime import timedelta

import pytest
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.urls import reverse

from governance.audit.models import OutboxEntry
from governance.console.presentation import list_url, page_url
from governance.console.roles import ROLES, ensure_roles
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.partners.models import AccessToken, ApiClient, Partner
from governance.partners.queries import find_token
from tests.factories.partners import raw_token

ADD = "admin:partners_apiclient_add"


@pytest.fixture
def manager(person):
    return person("Governance manager")


def test_the_secret_is_shown_exactly_once(market, manager):
    answer = manager.post(
        reverse(ADD),
        {
            "partner": market.partner.pk,
            "name": "Photo app",
            "actions": ["asset.infer", "model.invoke"],
            "purposes": ["commercial"],
            "models": ["espcn-x2"],
        },
    )
    client = ApiClient.objects.get(name="Photo app")
    secret = answer.context["secret"]
    assert answer.status_code == 200
    assert secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert check_password(secret, client.client_secret)
    assert (client.actions, client.model_slugs) == (["asset.infer", "model.invoke"], ["espcn-x2"])
    for url in (page_url(client), list_url(ApiClient), page_url(market.partner)):
        assert secret not in manager.get(url).content.decode()
    assert secret not in str(dict(manager.session))
    assert secret not in "".join(str(bytes(entry.body)) for entry in OutboxEntry.objects.all())


@pytest.mark.parametrize("field", ["partner", "name", "actions", "purposes"])
def test_a_client_needs_all_of_its_parts(field, market, manager):
    good = {"partner": market.partner.pk, "name": "x", "actions": ["asset.infer"], "purposes": ["commercial"]}
    answer = manager.post(reverse(ADD), good | {field: ""})
    assert field in answer.context["form"].errors
    assert ApiClient.objects.count() == 1


def test_every_token_of_a_partner_is_revoked_after_saying_how_many(market, manager):
    for _ in range(2):
        raw_token(market.client)
    url = reverse("admin:partners_partner_revoke-tokens", args=[market.partner.pk])
    assert "3 live tokens stop working at once" in manager.get(url).content.decode()
    assert AccessToken.objects.filter(revoked_at=None).count() == 3
    answer = manager.post(url, {"reason": "secret_leaked"}, follow=True)
    assert "Revoked; 3 tokens were live." in answer.content.decode()
    assert AccessToken.objects.filter(revoked_at=None).count() == 0
    assert OutboxEntry.objects.filter(kind="partner.tokens_revoked").count() == 1


def test_one_token_is_revoked(market, manager):
    token = find_token(raw_token(market.client))
    manager.post(reverse("admin:partners_accesstoken_revoke", args=[token.pk]), {"reason": "suspicious_use"})
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert "Revoked" in manager.get(page_url(token)).content.decode()


def test_a_token_says_its_state(market, manager):
    raw = raw_token(market.client)
    page = manager.get(list_url(AccessToken)).content.decode()
    assert ">Live<" in page
    assert raw not in page
    with clock.using(ManualClock(clock.now() + timedelta(minutes=20))):
        assert ">Expired<" in manager.get(list_url(AccessToken)).content.decode()


def test_partners_are_renamed_but_keep_their_slug(market, manager):
    address = reverse("admin:partners_partner_rename", args=[market.partner.pk])
    manager.post(address, {"name": "Lumen Ltd", "slug": "other", "status": "suspended"})
    partner = Partner.objects.get()
    assert (partner.name, partner.slug, partner.status) == ("Lumen Ltd", "lumen", "active")


def test_the_roles_are_made_once_and_set_back(db, capsys):
    call_command("ensure_roles")
    assert {group.name for group in Group.objects.all()} == set(ROLES)
    auditor = Group.objects.get(name="Auditor")
    auditor.permissions.add(Permission.objects.get(codename="add_policydraft"))
    own = Group.objects.create(name="Interns")
    counts = ensure_roles()
    assert Group.objects.count() == len(ROLES) + 1
    assert own.permissions.count() == 0
    assert {verb.split("_")[0] for verb in auditor.permissions.values_list("codename", flat=True)} == {"view"}
    assert counts["Auditor"] == auditor.permissions.count()
    assert "Auditor:" in capsys.readouterr().out


def test_no_role_may_both_write_and_approve_policy(db):
    ensure_roles()
    for group in Group.objects.all():
        held = set(group.permissions.values_list("codename", flat=True))
        assert not {"add_abacrule", "review_policydraft"} <= held, group.name
        assert not {"add_abacrule", "activate_policydraft"} <= held, group.name


def test_only_superusers_manage_accounts(market, person):
    for role in ROLES:
        client = person(role)
        assert client.get(reverse("admin:auth_user_add")).status_code == 403
        assert client.post(page_url(client.user), {"is_superuser": "on"}).status_code == 403
        assert not User.objects.get(pk=client.user.pk).is_superuser


def test_the_sidebar_offers_what_the_role_may_see(market, person):
    auditor = person("Auditor").get(reverse("admin:index")).content.decode()
    author = person("Policy author").get(reverse("admin:index")).content.decode()
    approver = person("Policy approver").get(reverse("admin:index")).content.decode()
    brake = f'href="{reverse("admin:rulebook_policyfreeze_changelist")}"'
    users = f'href="{reverse("admin:auth_user_changelist")}"'
    assert (users in auditor, brake in auditor) == (True, True)
    assert (users in author, brake in author) == (False, True)
    assert brake in approver
