"""Every page of the console opens, for whoever may see it, without a query per row, and changes nothing by itself."""

import re
from html import unescape
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from oauth2_provider.models import get_refresh_token_model

from governance.audit.models import OutboxEntry
from governance.catalog.models import Dataset
from governance.console.presentation import list_url, page_url
from governance.console.roles import AREAS
from governance.jobs.models import Job
from governance.rulebook.models import AbacRule
from governance.rulebook.services import create_rule
from tests.factories.marketplace import make_asset
from tests.factories.partners import raw_token
from tests.integration.console.rules import spec

TABLES = sorted(
    (model for model in admin.site._registry if model._meta.app_label in (*AREAS, "auth")), key=lambda m: m._meta.label
)
LABELS = [model._meta.label for model in TABLES]
ADDABLE = [model for model in TABLES if model._meta.model_name in {
    "creator", "dataset", "asset", "abacrule", "model", "modelversion", "partner", "tier",
    "apiclient", "opaserver", "role", "modelgroup", "retentionclass", "user", "group",
}]  # fmt: skip

LINKS = re.compile(r'href="(/admin/[a-z]+/[a-z]+/\?[^"]+)"')


def add_url(model) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")


@pytest.mark.parametrize("model", TABLES, ids=LABELS)
def test_every_list_opens_empty_and_says_so(model, boss):
    answer = boss.get(list_url(model))
    assert answer.status_code == 200
    rows = model.objects.count()
    assert ("as-empty" in answer.content.decode()) == (rows == 0)


def test_every_list_and_every_row_opens(everything, boss):
    for model in TABLES:
        assert boss.get(list_url(model)).status_code == 200, model
        for row in model.objects.order_by("pk")[:3]:
            assert boss.get(page_url(row)).status_code == 200, row
    assert [model for model in TABLES if not model.objects.exists()] == [Dataset]


def test_every_form_for_a_new_row_opens(market, boss):
    for model in ADDABLE:
        assert boss.get(add_url(model)).status_code == 200, model


def test_the_auditor_sees_every_table_and_changes_none(everything, person):
    auditor = person("Auditor")
    entries = OutboxEntry.objects.count()
    for model in TABLES:
        assert auditor.get(list_url(model)).status_code == 200, model
        assert auditor.get(add_url(model)).status_code == 403, model
        for row in model.objects.order_by("pk")[:1]:
            assert auditor.get(page_url(row)).status_code == 200, row
            assert auditor.post(page_url(row), {"name": "x"}).status_code == 403, row
    assert OutboxEntry.objects.count() == entries


def test_the_auditor_may_press_no_button(everything, released, person):
    auditor = person("Auditor")
    token = everything.client.accesstoken_set.first()
    for url in [
        reverse("admin:jobs_job_cancel", args=[released.pk]),
        reverse("admin:catalog_creator_grant", args=[everything.creator.pk]),
        reverse("admin:catalog_creator_withdraw", args=[everything.creator.pk]),
        reverse("admin:catalog_creator_suspend", args=[everything.creator.pk]),
        reverse("admin:catalog_asset_quarantine", args=[everything.asset.pk]),
        reverse("admin:registry_modelversion_stage", args=[everything.version.pk]),
        reverse("admin:registry_modelversion_alias", args=[everything.version.pk]),
        reverse("admin:partners_partner_revoke-tokens", args=[everything.partner.pk]),
        reverse("admin:partners_accesstoken_revoke", args=[token.pk]),
        reverse("admin:partners_apiclient_roles", args=[everything.client.pk]),
        reverse("admin:rulebook_policydraft_propose"),
        reverse("admin:rulebook_policyfreeze_begin"),
    ]:
        assert (auditor.get(url).status_code, auditor.post(url).status_code) == (403, 403), url


def test_somebody_without_a_role_sees_nothing(everything, released, person):
    nobody = person()
    assert nobody.get(reverse("admin:index")).status_code == 200
    assert "Your account has no role yet." in nobody.get(reverse("admin:index")).content.decode()
    assert nobody.get(reverse("admin:index")).context["figures"] == []
    assert {nobody.get(list_url(model)).status_code for model in TABLES} == {403}
    assert nobody.get(reverse("admin:jobs_job_output", args=[released.pk])).status_code == 403
    assert nobody.get(reverse("admin:catalog_asset_picture", args=[everything.asset.pk])).status_code == 403
    assert nobody.post(reverse("admin:rulebook_abacrule_preview")).status_code == 403


def test_strangers_are_sent_to_the_login_page(client, db):
    answer = client.get(reverse("admin:jobs_job_changelist"), follow=True)
    assert answer.redirect_chain[-1][0].startswith("/admin/login/")
    assert "Governance console" in answer.content.decode()


def test_history_cannot_be_added_to_or_removed(everything, boss):
    for model in TABLES:
        meta = model._meta
        if model in ADDABLE:
            continue
        row = model.objects.first()
        assert boss.get(add_url(model)).status_code == 403, meta.label
        assert boss.get(reverse(f"admin:{meta.app_label}_{meta.model_name}_delete", args=[row.pk])).status_code == 403


@pytest.mark.parametrize("address", ["jobs.Job", "decisions.DecisionRecord", "catalog.Asset", "rulebook.AbacRule",
                                     "audit.LedgerEntry", "partners.AccessToken", "auth.User"])  # fmt: skip
def test_lists_ask_as_often_for_many_rows_as_for_few(address, everything, boss):
    model = next(model for model in TABLES if model._meta.label == address)
    url = list_url(model)
    boss.get(url)
    few = _queries(boss, url)
    for number in range(3):
        make_asset(everything.creator)
        everything.submit()
        raw_token(everything.client)
        create_rule(spec=spec(f"rule-{number}"), enabled=True, actor_user=boss.user)
        User.objects.create_user(f"user-{number}")
    assert _queries(boss, url) == few


def test_a_job_page_asks_as_often_for_many_events_as_for_few(released, market, boss):
    waiting = market.submit().job
    boss.get(page_url(waiting))
    assert _queries(boss, page_url(released)) <= _queries(boss, page_url(waiting)) + 6


def test_a_row_that_is_not_there_is_not_found(boss):
    for url in [
        reverse("admin:jobs_job_cancel", args=[uuid4()]),
        reverse("admin:catalog_asset_picture", args=["not-an-id"]),
        reverse("admin:registry_modelversion_change", args=[uuid4()]),
    ]:
        assert boss.get(url).status_code == 404


def test_ids_are_found_by_search(everything, boss):
    job = Job.objects.first()
    found = boss.get(list_url(Job, f"?q={job.pk}")).context["cl"].result_list
    assert [each.pk for each in found] == [job.pk]
    assert boss.get(list_url(Job, f"?q={uuid4()}")).context["cl"].result_list == []


def test_the_library_has_no_pages_of_its_own():
    assert not admin.site.is_registered(get_refresh_token_model())
    assert {model._meta.app_label for model in admin.site._registry} == {*AREAS, "auth", "console"}


def test_rules_are_not_saved_past_their_service(everything, boss, monkeypatch):
    """The standard form of the admin would write columns; it must be out of reach."""
    monkeypatch.setattr(AbacRule, "save", None)
    rule = AbacRule.objects.first()
    answer = boss.post(page_url(rule), {"slug": "other", "message": "Changed."})
    assert answer.status_code == 200
    assert "The rule was not saved." in answer.content.decode()


def _queries(client, url) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize(
    ("address", "query", "shown"),
    [
        ("audit.LedgerEntry", "about=rulebook", {"revision.published", "revision.anchored", "revision.activated"}),
        ("audit.LedgerEntry", "about=jobs&about=moderation",
         {f"job.{state}" for state in ("queued", "leased", "running", "moderating", "releasing", "sealing", "released")}
         | {"moderation.recorded"}),
        ("audit.LedgerEntry", "actor_type=client", {"decision.recorded", "job.queued", "token.issued"}),
        ("audit.LedgerEntry", "about=nonsense&actor_type=nobody", set()),
    ],
)  # fmt: skip
def test_the_ledger_can_be_narrowed(address, query, shown, released, boss):
    model = next(model for model in TABLES if model._meta.label == address)
    rows = boss.get(list_url(model, f"?{query}")).context["cl"].result_list
    assert {row.kind for row in rows} == shown


def test_evidence_can_be_narrowed(released, market, boss):
    market.submit(purpose="research")
    model = next(model for model in TABLES if model._meta.label == "audit.EvidenceRecord")

    def outcomes(query):
        return [row.outcome for row in boss.get(list_url(model, f"?{query}")).context["cl"].result_list]

    assert outcomes("outcome=denied") == ["denied"]
    assert outcomes("anchored=no") == ["denied"]
    assert outcomes("anchored=yes") == ["released"]
    assert sorted(outcomes("outcome=denied&outcome=released")) == ["denied", "released"]


@pytest.mark.parametrize(
    "query",
    [
        "bogus=1",
        "state__regex=(",
        "created_at__year=99999",
        "id__exact=x",
        "p=99",
        "partner__tier__slug=x",
        "_to_field=x",
    ],
)
def test_a_list_that_cannot_be_narrowed_like_this_is_shown_whole(query, released, boss):
    answer = boss.get(list_url(Job, f"?{query}"), follow=True)
    assert (answer.status_code, answer.wsgi_request.GET) == (200, {})
    assert "This is the list without any filter." in answer.content.decode()
    assert [row.pk for row in answer.context["cl"].result_list] == [released.pk]


def test_every_link_to_a_list_asks_what_it_can_answer(everything, boss):
    pages = [reverse("admin:index"), *(page_url(row) for model in TABLES for row in model.objects.order_by("pk")[:1])]
    links = {link for page in pages for link in LINKS.findall(boss.get(page).content.decode())}
    answers = {link: boss.get(unescape(link)).status_code for link in links}
    assert {link: status for link, status in answers.items() if status != 200} == {}


@pytest.mark.parametrize(
    ("address", "status", "text"),
    [
        ("/admin/jobs/job/?q=%00", 400, "This request cannot be understood"),
        ("/admin/no/such/page/", 404, "Not found"),
        ("/admin/jobs/job/_00/change/", 302, ""),
    ],
)
def test_what_cannot_be_answered_gets_a_page_of_its_own(address, status, text, boss):
    answer = boss.get(address)
    assert answer.status_code == status
    assert text in answer.content.decode()
