"""Roles of API clients: what they permit, and how soon a change holds."""

from typing import Any

import pytest

from governance.audit.models import OutboxEntry
from governance.partners.errors import RoleInvalid
from governance.partners.models import ApiClient, Role, RolePermission
from governance.partners.rbac import EVERYTHING, RolePermits, role_permits
from governance.partners.roles import Grant, save_model_group, save_role, set_roles
from tests.factories.partners import ACTOR, PartnerFactory, client_with_secret

pytestmark = pytest.mark.django_db


def role(slug: str, *grants: Grant, **more: Any) -> Role:
    return save_role(slug=slug, name=slug.title(), grants=grants, actor=ACTOR, **more)


def client(*roles: Role, partner: Any = None) -> ApiClient:
    made, _ = client_with_secret(partner)
    set_roles(client=made, roles=roles, actor=ACTOR)
    return made


def permits(of: ApiClient, action: str = "model.invoke") -> RolePermits:
    return role_permits(client_id=of.client_id, partner=of.partner.slug, action=action)


def test_a_client_without_roles_is_not_limited_until_there_is_a_role_member() -> None:
    plain, limited = client(), client(role("runner", Grant(action="model.invoke")))

    assert permits(plain) == EVERYTHING
    role("member", Grant(action="asset.preview"))
    assert permits(plain) == RolePermits(("asset.preview",), any_model=False, models=())
    assert permits(limited).actions == ("model.invoke",)


@pytest.mark.parametrize(
    ("grant", "any_model", "models"),
    [
        (Grant(), True, ()),
        (Grant(action="model.invoke"), True, ()),
        (Grant(action="model.train"), False, ()),
        (Grant(model="upscaler"), False, ("upscaler",)),
        (Grant(action="model.invoke", model="a,b"), False, ("a,b",)),
    ],
)
def test_a_role_permits_actions_with_models(grant: Grant, any_model: bool, models: tuple[str, ...]) -> None:
    found = permits(client(role("some", grant)))

    assert found.any_model is any_model
    assert found.models == models if not any_model else True


def test_a_group_stands_for_its_models() -> None:
    group = save_model_group(slug="imaging", name="Imaging", models=["b", "a"], actor=ACTOR)
    runner = client(role("runner", Grant(action="model.invoke", group=group)))

    assert permits(runner).models == ("a", "b")
    save_model_group(slug="imaging", name="Imaging", models=["c"], actor=ACTOR)
    assert permits(runner).models == ("c",)


def test_roles_inherit_over_several_steps() -> None:
    base = role("base", Grant(action="asset.infer", model="a"))
    middle = role("middle", Grant(action="model.train"), inherits=[base])
    top = client(role("top", inherits=[middle]))

    assert permits(top, "asset.infer").models == ("a",)
    assert permits(top, "model.train").any_model is True
    assert permits(top, "model.deploy") == RolePermits(("asset.infer", "model.train"), any_model=False, models=())


def test_a_role_holds_only_in_the_organisation_of_its_client() -> None:
    one, other = PartnerFactory.create(), PartnerFactory.create()
    own = role("own", Grant(), partner=one)
    holder = client(own, partner=one)

    assert permits(holder).any_model is True
    assert role_permits(client_id=holder.client_id, partner=other.slug, action="model.invoke").actions == ()
    with pytest.raises(RoleInvalid, match="another organisation"):
        client(own, partner=other)
    with pytest.raises(RoleInvalid, match="another organisation"):
        role("general", inherits=[own])
    with pytest.raises(RoleInvalid, match="does not change"):
        role("own", Grant())


def test_what_makes_no_sense_is_refused() -> None:
    parent = role("parent")
    child = role("child", inherits=[parent])

    with pytest.raises(RoleInvalid, match="inherit from itself"):
        role("parent", inherits=[child])
    with pytest.raises(RoleInvalid, match=r"no actions: asset\.melt"):
        role("parent", Grant(action="asset.melt"))
    group = save_model_group(slug="g", name="G", models=[], actor=ACTOR)
    with pytest.raises(RoleInvalid, match="a model or a group"):
        role("parent", Grant(model="a", group=group))


def test_a_grant_given_twice_is_one_and_saving_again_replaces() -> None:
    role("some", Grant(model="a"), Grant(model="a"), Grant(model="b"))
    role("some", Grant(model="c"))

    assert list(RolePermission.objects.values_list("model_slug", flat=True)) == ["c"]


def test_changes_are_in_the_ledger() -> None:
    client(role("some", Grant(model="a")))

    kinds = set(OutboxEntry.objects.values_list("kind", flat=True))
    assert {"role.created", "client.roles_set"} <= kinds


def test_a_change_holds_at_the_latest_when_the_copy_is_too_old(settings: Any) -> None:
    runner = client(role("runner", Grant(model="a")))
    assert permits(runner).models == ("a",)

    settings.ASSENT_RBAC_REFRESH_MS = 60_000
    role("runner", Grant(model="b"))
    assert permits(runner).models == ("a",)
    settings.ASSENT_RBAC_REFRESH_MS = 0
    assert permits(runner).models == ("b",)
