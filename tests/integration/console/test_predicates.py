"""The pages and schemas of what statements say: open to everybody, at the path of the predicate type."""

import pytest
from django.test import Client
from django.urls import reverse

from governance.audit.models import Receipt
from governance.transparency.predicates.catalogue import all_predicates, as_text
from tests.receipts import statement_in

pytestmark = pytest.mark.django_db
NAMES = [each.name for each in all_predicates()]
by_name = pytest.mark.parametrize("predicate", all_predicates(), ids=lambda predicate: predicate.name)


@pytest.fixture
def anybody() -> Client:
    return Client(enforce_csrf_checks=True)


def test_the_list_leads_to_every_predicate(anybody):
    page = anybody.get("/predicates/")

    assert page.status_code == 200
    assert [name for name in NAMES if f'href="/predicates/{name}"' in page.content.decode()] == NAMES
    assert not anybody.cookies


@by_name
def test_a_page_explains_every_field_with_examples(predicate, anybody):
    page = anybody.get(predicate.type.removeprefix("https://assent.dev"))

    assert page.status_code == 200
    assert page.context["examples"] == [as_text(each) for each in predicate.examples]
    text = page.content.decode()
    fields = [*page.context["own"], *page.context["shared"]]
    assert [each.path for each in fields if f">{each.path}<" not in text] == []
    assert f'href="/predicates/{predicate.name}.json"' in text


@pytest.mark.parametrize("name", [*NAMES, "common"])
def test_a_schema_is_served_where_its_id_says(name, anybody):
    answer = anybody.get(f"/predicates/{name}.json")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/schema+json"
    assert answer.json()["$id"] == f"https://assent.dev/predicates/{name}.json"


def test_a_schema_may_be_kept_and_read_by_pages_of_others(anybody):
    answer = anybody.get("/predicates/upload/v1.json")

    assert answer["Cache-Control"] == "public, max-age=3600"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Vary" not in answer or "Cookie" not in answer["Vary"]
    again = anybody.get("/predicates/upload/v1.json", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["nothing/v1", "upload/v2", "upload", "upload/v2.json", "common", "../common.json", "upload/v1/", ".json"]
)
def test_what_is_no_predicate_is_not_found(path, anybody):
    assert anybody.get(f"/predicates/{path}").status_code == 404


@pytest.mark.parametrize("path", ["", "upload/v1", "upload/v1.json"])
@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_other_methods_are_refused(method, path, anybody):
    answer = getattr(Client(), method)(f"/predicates/{path}")

    assert answer.status_code == 405


def test_public_pages_lead_to_what_receipts_say(anybody):
    assert f'href="{reverse("predicates")}"' in anybody.get(reverse("verify")).content.decode()


def test_the_console_leads_from_a_receipt_to_what_its_statement_says(boss, released):
    receipt = Receipt.objects.filter(kind="decision.recorded").first()
    page = boss.get(reverse("admin:audit_receipt_change", args=[receipt.pk]))

    assert statement_in(receipt)["predicateType"] in page.text
    assert 'href="/predicates/decision/v1"' in page.text
