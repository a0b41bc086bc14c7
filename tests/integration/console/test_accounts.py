"""Console users and their groups: services, what goes on record, and the pages."""

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from governance.audit.errors import ChangedMeanwhile
from governance.audit.models import OutboxEntry
from governance.audit.recording.states import State
from governance.audit.types import Actor
from governance.console.accounts import (
    Access,
    Person,
    activate_user,
    change_user,
    create_user,
    deactivate_user,
    delete_user,
    set_password,
    shown_state,
)
from governance.console.entries import GROUP, USER
from governance.console.errors import AccountConflict, AccountInvalid
from governance.console.groups import change_group, create_group, delete_group
from governance.console.roles import ensure_roles
from tests.factories.audit import newest_data
from tests.history import guards_lifted
from tests.html_forms import as_sent

ACTOR = Actor("system", "operator")
PASSWORD = "tangerine-lighthouse-42"
ADA = Person("ada", "Ada", "Lindqvist", "ada@example.com")
STAFF: State = {"active": True, "staff": True, "superuser": False, "groups": [], "permissions": []}

pytestmark = pytest.mark.django_db


def permissions(*codenames: str) -> list[Permission]:
    return list(Permission.objects.filter(codename__in=codenames))


@pytest.fixture
def group(db: None) -> Group:
    return create_group(name="Interns", permissions=permissions("view_partner"), actor=ACTOR)


@pytest.fixture
def ada(db: None) -> User:
    return create_user(person=ADA, access=Access(), password=PASSWORD, actor=ACTOR)


def page(table: str, part: str = "add", *keys: object) -> str:
    return reverse(f"admin:auth_{table}_{part}", args=keys)


def everything_recorded() -> str:
    return "".join(bytes(entry.body).decode() for entry in OutboxEntry.objects.all())


def test_a_new_user_is_on_record_by_what_the_account_may_do(ada: User) -> None:
    assert ada.check_password(PASSWORD)
    assert newest_data("user.created", USER.ref(ada)) == {
        "before": None,
        "after": STAFF,
        "fields": ["email", "first_name", "last_name", "username"],
    }


def test_no_entry_has_a_name_an_address_or_a_password(ada: User) -> None:
    change_user(user=ada, person=Person("adele", "Adele", "Moretti", "adele@example.com"), access=Access(), actor=ACTOR)
    set_password(user=ada, password="walnut-umbrella-77", actor=ACTOR)

    recorded = everything_recorded()
    for personal in ("ada", "Lindqvist", "adele", "Moretti", "example.com", PASSWORD, "walnut", "pbkdf2"):
        assert personal not in recorded
    assert json.loads(bytes(OutboxEntry.objects.get(kind="user.password_set").body))["data"] == {}


@pytest.mark.parametrize(
    ("person", "password", "field"),
    [
        (Person(""), PASSWORD, "username"),
        (Person("two words"), PASSWORD, "username"),
        (Person("ada"), PASSWORD, "username"),
        (Person("bruno", email="no address"), PASSWORD, "email"),
        (Person("bruno"), "short", "password"),
        (Person("bruno"), "password1234", "password"),
    ],
)
def test_an_account_that_is_not_valid_is_refused(ada: User, person: Person, password: str, field: str) -> None:
    with pytest.raises(AccountInvalid) as refused:
        create_user(person=person, access=Access(), password=password, actor=ACTOR)

    assert set(refused.value.details["fields"]) == {field}
    assert User.objects.count() == OutboxEntry.objects.filter(kind="user.created").count() == 1


def test_a_change_names_the_fields_and_holds_the_rights_before_and_after(ada: User, group: Group) -> None:
    access = Access(staff=True, superuser=True, groups=[group])

    change_user(user=ada, person=Person("ada", "Ada", "Keller", "ada@example.com"), access=access, actor=ACTOR)

    assert newest_data("user.changed", USER.ref(ada)) == {
        "before": STAFF,
        "after": STAFF | {"superuser": True, "groups": ["Interns"]},
        "fields": ["groups", "last_name", "superuser"],
    }


def test_a_change_that_changes_nothing_is_not_recorded(ada: User) -> None:
    change_user(user=ada, person=ADA, access=Access(), actor=ACTOR)

    assert not OutboxEntry.objects.filter(kind="user.changed").exists()


def test_a_name_or_a_right_that_was_changed_meanwhile_is_not_undone(ada: User) -> None:
    seen = shown_state(ada)
    change_user(user=ada, person=Person("ada", "Ada", "Keller"), access=Access(), actor=ACTOR)

    with pytest.raises(ChangedMeanwhile) as refused:
        change_user(user=ada, person=ADA, access=Access(superuser=True), actor=ACTOR, seen=seen)

    assert set(refused.value.details["changes"]) == {"last_name", "email"}
    assert User.objects.get().is_superuser is False


def test_an_account_is_deactivated_and_activated(ada: User) -> None:
    deactivate_user(user=ada, actor=ACTOR)
    assert newest_data("user.deactivated", USER.ref(ada)) == {"before": STAFF, "after": STAFF | {"active": False}}
    with pytest.raises(AccountConflict, match="inactive already"):
        deactivate_user(user=ada, actor=ACTOR)

    activate_user(user=ada, actor=ACTOR)
    assert newest_data("user.activated", USER.ref(ada)) == {"before": STAFF | {"active": False}, "after": STAFF}
    with pytest.raises(AccountConflict, match="active already"):
        activate_user(user=ada, actor=ACTOR)


def test_nobody_locks_themselves_out(ada: User) -> None:
    herself = Actor("user", str(ada.pk))

    with pytest.raises(AccountConflict, match="ask somebody else"):
        deactivate_user(user=ada, actor=herself)
    with pytest.raises(AccountConflict, match="ask somebody else"):
        delete_user(user=ada, actor=herself)
    assert User.objects.get().is_active


def test_a_deleted_user_leaves_what_the_account_could_do(ada: User) -> None:
    ref = USER.ref(ada)

    delete_user(user=ada, actor=ACTOR)

    assert newest_data("user.deleted", ref) == {"before": STAFF, "after": None}
    assert not User.objects.exists()


def test_a_weak_password_is_refused(ada: User) -> None:
    with pytest.raises(AccountInvalid, match="too weak"):
        set_password(user=ada, password="adalindqvist", actor=ACTOR)

    assert User.objects.get().check_password(PASSWORD)
    assert not OutboxEntry.objects.filter(kind="user.password_set").exists()


def test_what_is_rolled_back_leaves_no_entry(ada: User) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        _ = deactivate_user(user=ada, actor=ACTOR).pk / 0

    assert not OutboxEntry.objects.filter(kind="user.deactivated").exists()


def test_a_group_is_on_record_with_its_permissions(group: Group) -> None:
    state: State = {"name": "Interns", "permissions": ["partners.view_partner"]}
    assert newest_data("group.created", GROUP.ref(group)) == {"before": None, "after": state}

    change_group(group=group, permissions=permissions("view_partner", "view_tier"), actor=ACTOR)

    wider = state | {"permissions": ["partners.view_partner", "partners.view_tier"]}
    assert newest_data("group.changed", GROUP.ref(group)) == {"before": state, "after": wider}
    ref = GROUP.ref(group)
    delete_group(group=group, actor=ACTOR)
    assert newest_data("group.deleted", ref) == {"before": wider, "after": None}


def test_a_group_that_people_are_in_stays(ada: User, group: Group) -> None:
    change_user(user=ada, person=ADA, access=Access(groups=[group]), actor=ACTOR)

    with pytest.raises(AccountConflict, match="take them out first"):
        delete_group(group=group, actor=ACTOR)


def test_a_group_name_is_taken_once(group: Group) -> None:
    with pytest.raises(AccountInvalid, match="not valid"):
        create_group(name="Interns", permissions=[], actor=ACTOR)


def test_the_standard_groups_are_recorded_when_they_change_and_not_otherwise(db: None) -> None:
    ensure_roles()
    made = OutboxEntry.objects.count()

    ensure_roles()
    assert OutboxEntry.objects.count() == made

    Group.objects.get(name="Auditor").permissions.clear()
    ensure_roles()
    changed = OutboxEntry.objects.get(kind="group.changed")
    assert (changed.actor_type, changed.actor_id) == ("system", "ensure_roles")


def test_accounts_of_before_are_adopted(ada: User, group: Group) -> None:
    change_user(user=ada, person=ADA, access=Access(groups=[group]), actor=ACTOR)
    with guards_lifted():
        OutboxEntry.objects.all().delete()

    import_module("governance.console.migrations.0001_accounts_on_record").adopt(apps, connection.schema_editor())

    assert newest_data("user.adopted", USER.ref(ada)) == {"before": None, "after": USER.present_state(ada)}
    assert newest_data("group.adopted", GROUP.ref(group)) == {"before": None, "after": GROUP.present_state(group)}


NEW: dict[str, Any] = {"username": "bruno", "password": PASSWORD, "again": PASSWORD, "staff": "on", "email": ""}


def test_a_user_is_added_and_logs_in(boss: Client, group: Group) -> None:
    assert boss.post(page("user"), NEW | {"groups": ["Interns"]}).status_code == 302

    bruno = User.objects.get(username="bruno")
    assert (bruno.is_staff, bruno.is_superuser, [*bruno.groups.all()]) == (True, False, [group])
    assert Client().login(username="bruno", password=PASSWORD)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"again": "another"}, "The two passwords are not the same."),
        ({"password": "short", "again": "short"}, "too short"),
        ({"username": "boss"}, "already exists"),
        ({"username": ""}, "This field is required."),
    ],
)
def test_what_is_wrong_with_a_new_user_is_reported(boss: Client, wrong: dict[str, str], said: str) -> None:
    assert said in boss.post(page("user"), NEW | wrong).text
    assert not User.objects.filter(username="bruno").exists()


def test_a_user_is_changed_on_the_page_and_a_clash_is_shown(boss: Client, ada: User) -> None:
    address = page("user", "change", ada.pk)
    first = as_sent(boss.get(address).text)
    assert boss.post(address, first | {"last_name": ["Keller"]}).status_code == 302

    answer = boss.post(address, first | {"email": ["new@example.com"]})

    assert "The console user was changed meanwhile." in answer.text
    assert boss.post(address, as_sent(answer.text)).status_code == 302
    assert shown_state(User.objects.get(pk=ada.pk)) == STAFF | {
        "username": "ada", "first_name": "Ada", "last_name": "Keller", "email": "new@example.com"
    }  # fmt: skip


def test_the_pages_of_an_account_deactivate_activate_and_set_a_password(boss: Client, ada: User) -> None:
    for part, active in (("deactivate", False), ("activate", True)):
        address = page("user", part, ada.pk)
        assert boss.post(address, as_sent(boss.get(address).text)).status_code == 302
        assert User.objects.get(pk=ada.pk).is_active is active

    new = {"password": "walnut-umbrella-77", "again": "walnut-umbrella-77"}
    assert boss.post(page("user", "password", ada.pk), new).status_code == 302
    assert User.objects.get(pk=ada.pk).check_password("walnut-umbrella-77")


def test_ones_own_account_stays_active(boss: Client) -> None:
    own = User.objects.get(username="boss")

    assert "ask somebody else" in boss.post(page("user", "deactivate", own.pk)).text
    assert User.objects.get(username="boss").is_active


def test_only_superusers_make_and_change_superusers(person: Callable[..., Client], boss: Client, ada: User) -> None:
    clerk = person("Auditor")
    user = User.objects.get(username="auditor")
    user.user_permissions.set(permissions("add_user", "change_user", "delete_user", "view_user"))

    assert clerk.post(page("user"), NEW | {"superuser": "on"}).status_code == 302
    assert User.objects.get(username="bruno").is_superuser is False
    own = User.objects.get(username="boss")
    assert clerk.post(page("user", "change", own.pk), {}).status_code == 403
    assert clerk.post(page("user", "password", own.pk), {}).status_code == 403
    assert clerk.get(page("user", "password", ada.pk)).status_code == 200


def test_a_group_is_made_changed_and_deleted_on_its_pages(boss: Client) -> None:
    boss.post(page("group"), {"name": "Interns", "permissions": ["partners.view_partner"]})
    made = Group.objects.get(name="Interns")

    address = page("group", "change", made.pk)
    sent = as_sent(boss.get(address).text)
    assert sent["permissions"] == ["partners.view_partner"]
    boss.post(address, sent | {"permissions": ["partners.view_tier"]})
    assert GROUP.present_state(made)["permissions"] == ["partners.view_tier"]

    boss.post(page("group", "delete", made.pk), {"post": "yes"})
    assert not Group.objects.filter(name="Interns").exists()
