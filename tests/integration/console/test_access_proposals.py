"""Nobody gives themselves more access, nobody gives what they lack, and what can widen needs two people."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from governance.audit.models import OutboxEntry
from governance.audit.types import Actor
from governance.console.access import (
    Given,
    add_user,
    approve_access,
    change_access,
    change_permissions,
    reactivate,
    reject_access,
)
from governance.console.accounts import Access, Person, activate_user, change_user, create_user, set_password
from governance.console.entries import ACCESS_PROPOSAL, USER
from governance.console.errors import AccessProposalClosed, AccessRefused, AccountConflict, SecondPersonNeeded
from governance.console.groups import change_group
from governance.console.models import AccessProposal
from governance.console.roles import ROLES, ensure_roles
from tests.factories.audit import newest_data
from tests.html_forms import as_sent

pytestmark = pytest.mark.django_db
PASSWORD = "tangerine-lighthouse-42"
OPERATOR = Actor("system", "operator")
CLERK_RIGHTS = ("add_user", "change_user", "view_user", "add_group", "change_group", "view_group")


def actor(user: User) -> Actor:
    return Actor("user", str(user.pk))


def groups(*names: str) -> list[Group]:
    return list(Group.objects.filter(name__in=names))


def held(user: User) -> set[str]:
    return {group.name for group in User.objects.get(pk=user.pk).groups.all()}


@pytest.fixture(autouse=True)
def roles(db) -> None:
    ensure_roles()


@pytest.fixture
def make() -> Callable[..., User]:
    """Return what makes a user with roles and, beside them, single permissions."""

    def build(name: str, *roles: str, superuser: bool = False, rights: tuple[str, ...] = ()) -> User:
        access = Access(superuser=superuser, groups=groups(*roles))
        user = create_user(person=Person(name), access=access, password=PASSWORD, actor=OPERATOR)
        user.user_permissions.set(Permission.objects.filter(content_type__app_label="auth", codename__in=rights))
        return user

    return build


@pytest.fixture
def boss(make) -> User:
    return make("boss", superuser=True)


@pytest.fixture
def second(make) -> User:
    return make("second", superuser=True)


@pytest.fixture
def ada(make) -> User:
    return make("ada")


def give(user: User, *roles: str, by: User) -> Given:
    return change_access(user=user, person=Person(user.username), access=Access(groups=groups(*roles)), actor=actor(by))


def test_a_role_that_can_widen_waits_for_a_second_person(boss, second, ada):
    proposal = give(ada, "Policy author", "Auditor", by=boss).proposal

    assert held(ada) == {"Auditor"}
    approve_access(proposal=proposal, actor=actor(second))

    assert held(ada) == {"Auditor", "Policy author"}
    assert newest_data("user.changed", USER.ref(ada))["after"]["groups"] == ["Auditor", "Policy author"]
    recorded = newest_data("access_proposal.changed", ACCESS_PROPOSAL.ref(proposal))
    assert (recorded["step"], recorded["after"]["decided_by"]) == ("approved", str(actor(second)))


def test_no_entry_of_a_proposal_has_a_name(boss, second, ada):
    approve_access(proposal=give(ada, "Policy author", by=boss).proposal, actor=actor(second))
    entries = OutboxEntry.objects.filter(kind="access_proposal.changed")
    assert len(entries) == 2
    assert b"ada" not in b"".join(bytes(entry.body) for entry in entries)


@pytest.mark.parametrize("role", [name for name in ROLES if name != "Auditor"])
def test_every_standard_role_but_the_auditor_can_widen(role, boss, ada):
    assert give(ada, role, by=boss).proposal is not None
    assert held(ada) == set()


def test_taking_access_away_needs_one_person(boss, make):
    author = make("author", "Policy author", "Auditor")
    assert give(author, "Auditor", by=boss).proposal is None
    assert held(author) == {"Auditor"}


def test_whoever_proposed_it_does_not_approve_it(boss, ada):
    proposal = give(ada, "Policy author", by=boss).proposal
    with pytest.raises(AccessRefused, match="somebody else"):
        approve_access(proposal=proposal, actor=actor(boss))
    assert held(ada) == set()


def test_whoever_gains_does_not_approve_it(boss, make):
    author = make("author", superuser=True)
    User.objects.filter(pk=author.pk).update(is_superuser=False)
    author.user_permissions.set(Permission.objects.all())
    proposal = give(author, "Policy author", by=boss).proposal
    with pytest.raises((AccessRefused, IntegrityError)), transaction.atomic():
        approve_access(proposal=proposal, actor=actor(author))
    assert held(author) == set()


@pytest.mark.parametrize("decider", ["boss", "ada", "operator"])
def test_the_database_holds_that_two_people_decide(decider, boss, ada):
    proposal = give(ada, "Policy author", by=boss).proposal
    key = {"boss": str(actor(boss)), "ada": str(actor(ada)), "operator": str(OPERATOR)}[decider]
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessProposal.objects.update(state="approved", decided_by=key, decided_at=proposal.proposed_at)


def test_a_decided_proposal_stays_decided(boss, second, ada):
    proposal = reject_access(proposal=give(ada, "Policy author", by=boss).proposal, actor=actor(second))
    assert proposal.state == "rejected"
    with pytest.raises(AccessProposalClosed, match="rejected already"):
        approve_access(proposal=proposal, actor=actor(second))
    with pytest.raises(DatabaseError), transaction.atomic():
        AccessProposal.objects.update(state="open", decided_by="", decided_at=None)


def test_what_was_proposed_is_withdrawn_by_its_author(boss, ada):
    assert reject_access(proposal=give(ada, "Policy author", by=boss).proposal, actor=actor(boss)).state == "withdrawn"


def test_what_somebody_proposed_who_may_no_longer_is_not_approved(boss, second, ada):
    proposal = give(ada, "Policy author", by=boss).proposal
    User.objects.filter(pk=boss.pk).update(is_active=False)
    with pytest.raises(AccessRefused, match="no longer"):
        approve_access(proposal=proposal, actor=actor(second))


@pytest.mark.parametrize("who", ["boss", "clerk"])
def test_nobody_makes_a_superuser_but_by_a_command(who, boss, ada, make):
    person = {"boss": boss, "clerk": make("clerk", rights=CLERK_RIGHTS)}[who]
    access = Access(superuser=True)
    with pytest.raises(AccessRefused, match="console_user"), transaction.atomic():
        change_access(user=ada, person=Person("ada"), access=access, actor=actor(person))
    with pytest.raises(AccessRefused, match="console_user"), transaction.atomic():
        add_user(person=Person("eve"), access=access, password=PASSWORD, actor=actor(person))
    assert User.objects.filter(is_superuser=True).count() == 1


@pytest.mark.parametrize("role", [*ROLES])
def test_nobody_gives_themselves_a_role(role, make):
    clerk = make("clerk", rights=CLERK_RIGHTS)
    with pytest.raises(AccessRefused, match="Nobody gives themselves"), transaction.atomic():
        give(clerk, role, by=clerk)
    assert held(clerk) == set()


@pytest.mark.parametrize("role", [*ROLES])
def test_nobody_gives_or_approves_what_they_lack(role, boss, ada, make):
    clerk = make("clerk", rights=CLERK_RIGHTS)
    with pytest.raises(AccessRefused, match="You lack"), transaction.atomic():
        give(ada, role, by=clerk)
    assert held(ada) == set()
    assert not AccessProposal.objects.exists()


def test_nobody_approves_what_they_lack(boss, ada, make):
    clerk = make("clerk", rights=CLERK_RIGHTS)
    with pytest.raises(AccessRefused, match="You lack"), transaction.atomic():
        approve_access(proposal=give(ada, "Policy author", by=boss).proposal, actor=actor(clerk))


def test_a_group_gains_powers_with_a_second_person_only(boss, second, make):
    interns = Group.objects.create(name="Interns")
    wanted = list(Permission.objects.filter(codename__in=("view_partner", "review_policydraft")))
    with pytest.raises(SecondPersonNeeded), transaction.atomic():
        change_group(group=interns, permissions=wanted, actor=actor(boss))

    proposal = change_permissions(group=interns, permissions=wanted, actor=actor(boss)).proposal

    assert [each.codename for each in interns.permissions.all()] == ["view_partner"]
    approve_access(proposal=proposal, actor=actor(second))
    assert {each.codename for each in interns.permissions.all()} == {"view_partner", "review_policydraft"}


def test_a_group_is_not_widened_by_who_lacks_that(make):
    clerk = make("clerk", rights=CLERK_RIGHTS)
    group = Group.objects.create(name="Interns")
    wanted = list(Permission.objects.filter(codename="review_policydraft"))
    with pytest.raises(AccessRefused, match="You lack"), transaction.atomic():
        change_permissions(group=group, permissions=wanted, actor=actor(clerk))
    assert not group.permissions.exists()


def test_an_account_with_powers_comes_back_with_a_second_person_only(boss, second, make):
    author = make("author", "Policy author")
    User.objects.filter(pk=author.pk).update(is_active=False)
    author.refresh_from_db()
    with pytest.raises(SecondPersonNeeded), transaction.atomic():
        activate_user(user=author, actor=actor(boss))

    proposal = reactivate(user=author, actor=actor(boss)).proposal

    assert not User.objects.get(pk=author.pk).is_active
    approve_access(proposal=proposal, actor=actor(second))
    assert User.objects.get(pk=author.pk).is_active


def test_powers_do_not_come_back_with_the_right_to_open_the_console(boss, second, make):
    author = make("author", "Policy author")
    person, role = Person("author"), groups("Policy author")
    change_user(user=author, person=person, access=Access(staff=False, groups=role), actor=actor(boss))
    with pytest.raises(SecondPersonNeeded), transaction.atomic():
        change_user(user=author, person=person, access=Access(staff=True, groups=role), actor=actor(boss))

    author.refresh_from_db()
    access = Access(staff=True, groups=role)
    proposal = change_access(user=author, person=person, access=access, actor=actor(boss)).proposal

    approve_access(proposal=proposal, actor=actor(second))
    assert User.objects.get(pk=author.pk).is_staff


def test_the_password_of_somebody_who_may_do_more_is_not_set(make):
    clerk, author = make("clerk", rights=CLERK_RIGHTS), make("author", "Policy author")
    with pytest.raises(AccessRefused, match="may do more than yours"):
        set_password(user=author, password="walnut-umbrella-77", actor=actor(clerk))
    set_password(user=clerk, password="walnut-umbrella-77", actor=actor(clerk))


def test_an_account_that_is_gone_gains_nothing(boss, second, ada):
    proposal = give(ada, "Policy author", by=boss).proposal
    User.objects.filter(pk=ada.pk).delete()
    with pytest.raises(AccountConflict, match="gone"):
        approve_access(proposal=proposal, actor=actor(second))


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_pages_lead_from_a_proposal_to_its_approval(boss, second, ada):
    first, other = logged_in(boss), logged_in(second)
    address = reverse("admin:auth_user_change", args=[ada.pk])
    answer = first.post(address, as_sent(first.get(address).text) | {"groups": ["Policy author"]}, follow=True)
    assert "waits for somebody else to approve it" in answer.text

    proposal = AccessProposal.objects.get()
    page = reverse("admin:console_accessproposal_change", args=[proposal.pk])
    assert "You proposed this." in first.get(page).text
    assert "rulebook.add_policydraft" in other.get(page).text
    approve = reverse("admin:console_accessproposal_approve", args=[proposal.pk])
    assert "somebody else must approve it" in first.post(approve).text
    assert other.post(approve).status_code == 302
    assert held(ada) == {"Policy author"}
    assert "approved already" in other.post(approve).text


@pytest.mark.parametrize("who", ["boss", "clerk"])
def test_no_form_makes_a_superuser(who, boss, make):
    target, clerk = make("target"), make("clerk", rights=CLERK_RIGHTS)
    client = logged_in({"boss": boss, "clerk": clerk}[who])
    address = reverse("admin:auth_user_change", args=[target.pk])
    sent = as_sent(client.get(address).text)
    client.post(address, sent | {"superuser": "on", "is_superuser": "on", "user_permissions": "1"})
    own = reverse("admin:auth_user_change", args=[clerk.pk])
    client.post(own, as_sent(client.get(own).text) | {"superuser": "on", "groups": ["Policy author"]})
    assert not User.objects.get(pk=target.pk).is_superuser
    assert not User.objects.get(pk=clerk.pk).is_superuser
    assert held(clerk) == set()


@pytest.mark.parametrize("part", ["approve", "reject"])
def test_only_who_may_change_users_decides(part, boss, ada, make):
    proposal = give(ada, "Policy author", by=boss).proposal
    auditor = logged_in(make("auditor", "Auditor"))
    assert auditor.get(reverse("admin:console_accessproposal_change", args=[proposal.pk])).status_code == 200
    assert auditor.post(reverse(f"admin:console_accessproposal_{part}", args=[proposal.pk])).status_code == 403
