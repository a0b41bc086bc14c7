"""Every change is a service call: rows of an area are written in its own services and nowhere else."""

from types import ModuleType

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import RequestFactory

from governance.console.base import HistoryAdmin
from governance.console.form_admin import FormAdmin
from tests.architecture.writes import Write, modules, writes_in, writes_of

#: Modules of an area that write nothing, by what they are for.
NOT_SERVICES = frozenset({
    "admin", "apps", "checks", "choices", "entries", "errors", "forms", "management", "models", "ports", "queries",
    "reconciliation", "types",
})  # fmt: skip
#: Accounts are Django's tables, second factors django-allauth's; the console has the services that write them.
AREA_OF_LABEL = {"auth": "console", "mfa": "console"}
CONSOLE_SERVICES = frozenset({
    "governance.console.access", "governance.console.accounts", "governance.console.groups",
    "governance.console.signin.factors", "governance.console.signin.sessions",
})  # fmt: skip
#: What may write although it is no service of the area, and why.
ALLOWED = {
    # Django's own log of the console belongs to no area; a name in it goes with the creator whose name it was.
    ("governance.workflows.erase_creator", "admin.LogEntry"),
}


def is_service_of(module: str, label: str) -> bool:
    area = AREA_OF_LABEL.get(label, label)
    if area == "console":
        return module in CONSOLE_SERVICES
    _, own, *rest = module.split(".")
    return own == area and not NOT_SERVICES & {*rest}


def is_allowed(write: Write) -> bool:
    if write.model is None:
        return False
    here = (write.module, write.model._meta.label)
    return here in ALLOWED or is_service_of(write.module, write.model._meta.app_label)


def test_rows_are_written_by_services_of_their_area_alone() -> None:
    found = [write for module in modules() for write in writes_of(module)]

    assert [str(write) for write in found if not is_allowed(write)] == []


def forms() -> list[FormAdmin]:
    return [table for table in admin.site._registry.values() if isinstance(table, FormAdmin)]


@pytest.mark.parametrize("table", [*admin.site._registry.values()], ids=lambda table: table.model._meta.label)
def test_no_page_of_the_console_saves_a_form_into_a_table(table: admin.ModelAdmin) -> None:
    assert isinstance(table, FormAdmin | HistoryAdmin)


@pytest.mark.parametrize("table", forms(), ids=lambda table: table.model._meta.label)
def test_rows_that_can_be_deleted_on_a_page_are_deleted_by_a_service(
    table: FormAdmin, rf: RequestFactory, admin_user: User
) -> None:
    request = rf.get("/")
    request.user = admin_user
    deletes = type(table).delete_model is not FormAdmin.delete_model

    assert table.has_delete_permission(request) == deletes


def test_what_is_allowed_is_still_needed() -> None:
    found = {
        (write.module, write.model._meta.label)
        for module, _ in ALLOWED
        for write in writes_of(module)
        if write.model is not None
    }

    assert found >= ALLOWED


EXAMPLE = """
from collections.abc import Iterable
from dataclasses import dataclass
from django.contrib.auth.models import User
from governance.partners.models import ApiClient, Partner, Tier

@dataclass
class Held:
    partner: Partner

def one(tier_id: int) -> Tier:
    return Tier.objects.get(pk=tier_id)

def act(partner: Partner, held: Held, rows: "Iterable[Partner]", names: set[str], users: list[User]) -> None:
    {}
"""


@pytest.mark.parametrize(
    ("statement", "label"),
    [
        ("Tier.objects.create(slug='a')", "partners.Tier"),
        ("Tier(slug='a').save()", "partners.Tier"),
        ("Tier.objects.filter(slug='a').exclude(name='').update(name='b')", "partners.Tier"),
        ("partner.save()", "partners.Partner"),
        ("partner.tier.delete()", "partners.Tier"),
        ("partner.clients.all().delete()", "partners.ApiClient"),
        ("held.partner.save()", "partners.Partner"),
        ("one(1).save()", "partners.Tier"),
        ("row = Tier.objects.first(); row.save()", "partners.Tier"),
        ("row, made = Tier.objects.get_or_create(slug='a')", "partners.Tier"),
        ("[row.save() for row in rows]", "partners.Partner"),
        ("ApiClient.objects.bulk_create([])", "partners.ApiClient"),
        ("users[0].groups.set([])", "auth.Group"),
        ("unknown().save()", None),
    ],
)
def test_a_write_is_found_with_its_model(statement: str, label: str | None) -> None:
    (write,) = writes_in_example(statement)

    assert (write.model._meta.label if write.model else None) == label


@pytest.mark.parametrize("statement", ["names.add('a')", "{}.update(a=1)", "partner.name.strip()", "users.clear()"])
def test_what_writes_no_row_is_not_found(statement: str) -> None:
    assert writes_in_example(statement) == []


def writes_in_example(statement: str) -> list[Write]:
    source = EXAMPLE.replace("{}\n", f"{statement}\n")
    module = ModuleType("example")
    exec(compile(source, "example", "exec"), vars(module))
    return writes_in(source, module)
