"""Roles of API clients: what they permit, and how soon a change holds."""

from typing import Any

import pytest

from governance.audit.errors import ChangedMeanwhile
from governance.audit.recording.states import State
from governance.partners.entries import CLIENT, MODEL_GROUP, ROLE
from governance.partners.errors import RoleInvalid
from governance.partners.models import ApiClient, ModelGroup, Role, RolePermission
from governance.partners.rbac import EVERYTHING, RolePermits, role_permits
from governance.partners.roles import Grant, change_model_group, change_role, create_model_group, create_role, set_roles
from tests.factories.audit import newest_data
from tests.factories.partners import ACTOR, PartnerFactory, client_with_secret

pytestmark = pytest.mark.django_db


def role(slug: str, *grants: Grant, **more: Any) -> Role:
    return create_role(slug=slug, name=slug.title(), grants=grants, actor=ACTOR, **more)


def changed(saved: Role, *grants: Grant, **more: Any) -> Role:
    return change_role(role=saved, name=saved.name, grants=grants, actor=ACTOR, **more)


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
    group = create_model_group(slug="imaging", name="Imaging", models=["b", "a"], actor=ACTOR)
    runner = client(role("runner", Grant(action="model.invoke", group=group)))

    assert permits(runner).models == ("a", "b")
    change_model_group(group=group, name="Imaging", models=["c"], actor=ACTOR)
    assert permits(runner).models == ("c",)


def test_roles_inherit_over_several_steps() -> None:
    base = role("base", Grant(action="asset.infer", model="a"))
    middle = role("middle", Grant(action="model.train"), inherits=[base])
    top = client(role("top", inherits=[middle]))

    assert permits(top, "asset.infer").models == ("a",)
    assert permits(top, "model.train").any_model is True
    assert permits(top, "model.deploy") == RolePermits(("asset.infer", "model.train"), any_model=False, models=())


def test_a_role_holds_only_for_the_partner_of_its_client() -> None:
    one, other = PartnerFactory.create(), PartnerFactory.create()
    own = role("own", Grant(), partner=one)
    holder = client(own, partner=one)

    assert permits(holder).any_model is True
    assert role_permits(client_id=holder.client_id, partner=other.slug, action="model.invoke").actions == ()
    with pytest.raises(RoleInvalid, match="another partner"):
        client(own, partner=other)
    with pytest.raises(RoleInvalid, match="another partner"):
        role("general", inherits=[own])
    with pytest.raises(RoleInvalid, match="not valid"):
        role("own", Grant())


def test_what_is_not_valid_is_refused() -> None:
    parent = role("parent")
    child = role("child", inherits=[parent])

    with pytest.raises(RoleInvalid, match="inherit from itself"):
        changed(parent, inherits=[child])
    with pytest.raises(RoleInvalid, match=r"not actions: asset\.melt"):
        changed(parent, Grant(action="asset.melt"))
    group = create_model_group(slug="g", name="G", models=[], actor=ACTOR)
    with pytest.raises(RoleInvalid, match="a model or a group"):
        changed(parent, Grant(model="a", group=group))


def test_a_grant_given_twice_is_one_and_saving_again_replaces() -> None:
    some = role("some", Grant(model="a"), Grant(model="a"), Grant(model="b"))
    changed(some, Grant(model="c"))

    assert list(RolePermission.objects.values_list("model_slug", flat=True)) == ["c"]


def test_changes_are_in_the_ledger() -> None:
    some = role("some", Grant(action="asset.train", model="a"))
    holder = client(some)
    changed(some, Grant(model="b"))

    state: State = {
        "slug": "some",
        "name": "Some",
        "partner": None,
        "inherits": [],
        "grants": [["asset.train", "a", ""]],
    }
    said = {"role": "some", "partner": None, "inherits": []}
    assert newest_data("role.created", ROLE.ref(some)) == {
        **said,
        "grants": [["asset.train", "a", ""]],
        "before": None,
        "after": state,
    }
    assert newest_data("role.updated", ROLE.ref(some)) == {
        **said,
        "grants": [["", "b", ""]],
        "before": state,
        "after": state | {"grants": [["", "b", ""]]},
    }
    assigned = newest_data("client.roles_set", CLIENT.ref(holder))
    assert assigned["before"] == CLIENT.state(holder) | {"roles": []}
    assert assigned["after"] == CLIENT.present_state(holder) == CLIENT.state(holder) | {"roles": ["some"]}


def test_a_saved_group_is_on_record_before_and_after() -> None:
    group = create_model_group(slug="g", name="G", models=["b", "a"], actor=ACTOR)
    before = MODEL_GROUP.state(group)

    change_model_group(group=group, name="G", models=["c"], actor=ACTOR)

    assert newest_data("model_group.saved", MODEL_GROUP.ref(group)) == {
        "group": "g",
        "models": ["c"],
        "before": before,
        "after": {"slug": "g", "name": "G", "models": ["c"]},
    }


@pytest.mark.parametrize("given", [{"slug": "no slug"}, {"name": ""}, {"models": ["no slug"]}])
def test_a_group_that_is_not_valid_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(RoleInvalid, match="The model group is not valid"):
        create_model_group(**({"slug": "g", "name": "G", "models": []} | given), actor=ACTOR)

    assert not ModelGroup.objects.exists()


def test_nobody_undoes_what_was_changed_meanwhile() -> None:
    some, group = role("some", Grant(model="a")), create_model_group(slug="g", name="G", models=[], actor=ACTOR)
    holder = client()
    seen = ROLE.state(some), MODEL_GROUP.state(group), CLIENT.state(holder)
    changed(some, Grant(model="b"))
    change_model_group(group=group, name="G", models=["c"], actor=ACTOR)
    set_roles(client=holder, roles=[some], actor=ACTOR)

    with pytest.raises(ChangedMeanwhile):
        changed(some, Grant(model="c"), seen=seen[0])
    with pytest.raises(ChangedMeanwhile):
        change_model_group(group=group, name="G", models=[], actor=ACTOR, seen=seen[1])
    with pytest.raises(ChangedMeanwhile) as refused:
        set_roles(client=holder, roles=[], actor=ACTOR, seen=seen[2])
    assert refused.value.details["changes"] == {"roles": {"was": [], "now": ["some"]}}


def test_a_change_holds_at_the_latest_when_the_copy_is_too_old(settings: Any) -> None:
    held = role("runner", Grant(model="a"))
    runner = client(held)
    assert permits(runner).models == ("a",)

    settings.ASSENT_RBAC_REFRESH_MS = 60_000
    changed(held, Grant(model="b"))
    assert permits(runner).models == ("a",)
    settings.ASSENT_RBAC_REFRESH_MS = 0
    assert permits(runner).models == ("b",)
