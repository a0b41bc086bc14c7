"""The main pages, in light and dark, kept as pictures under build/screenshots."""

import pytest
from django.urls import reverse

from governance.audit.models import EvidenceRecord, LedgerEntry
from governance.console.presentation import page_url
from governance.decisions.models import DecisionRecord
from governance.jobs.models import Job
from governance.rulebook.models import PolicyRevision
from tests.browser.conftest import keep

LISTS = {
    "creators": "catalog_creator",
    "consent-levels": "catalog_consentlevel",
    "works": "catalog_asset",
    "rules": "rulebook_abacrule",
    "revisions": "rulebook_policyrevision",
    "models": "registry_model",
    "partners": "partners_partner",
    "clients": "partners_apiclient",
    "jobs": "jobs_job",
    "decisions": "decisions_decisionrecord",
    "ledger": "audit_ledgerentry",
    "evidence-list": "audit_evidencerecord",
    "groups": "auth_group",
}


def addresses(market) -> dict[str, str]:
    jobs = Job.objects
    found = {
        "dashboard": reverse("admin:index"),
        "job-released": page_url(jobs.filter(state="released").first()),
        "job-denied": page_url(jobs.filter(state="denied").first()),
        "decision": page_url(DecisionRecord.objects.filter(effect="deny").first()),
        "creator": page_url(market.creator),
        "grant": reverse("admin:catalog_creator_grant", args=[market.creator.pk]),
        "consent-level": page_url(market.level),
        "suspend": reverse("admin:catalog_creator_suspend", args=[market.creator.pk]),
        "work": page_url(market.asset),
        "work-details": reverse("admin:catalog_asset_details", args=[market.asset.pk]),
        "dataset-add": reverse("admin:catalog_dataset_add"),
        "model": page_url(market.version.model),
        "model-licence": reverse("admin:registry_model_licence", args=[market.version.model.pk]),
        "rule-add": reverse("admin:rulebook_abacrule_add"),
        "revision": page_url(PolicyRevision.objects.first()),
        "partner": page_url(market.partner),
        "model-version": page_url(market.version),
        "evidence": page_url(EvidenceRecord.objects.first()),
        "ledger-entry": page_url(LedgerEntry.objects.last()),
    }
    return found | {name: reverse(f"admin:{table}_changelist") for name, table in LISTS.items()}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_main_pages_are_kept_as_pictures(scheme, console, story):
    console.emulate_media(color_scheme=scheme)
    for name, address in addresses(story).items():
        console.goto(address)
        assert keep(console, f"{name}-{scheme}").stat().st_size > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_login_page_is_kept_as_a_picture(scheme, page, market):
    page.emulate_media(color_scheme=scheme)
    page.goto("/admin/login/")
    assert keep(page, f"login-{scheme}").stat().st_size > 0


def test_a_wrong_password_is_said(page, market):
    page.goto("/admin/login/?next=/admin/jobs/job/")
    page.fill("[name=login]", "boss")
    page.fill("[name=password]", "wrong")
    page.click("button[type=submit]")
    page.wait_for_selector("text=Please enter the correct username and password")
    page.fill("[name=login]", "boss")
    page.fill("[name=password]", "correct horse battery staple")
    page.click("button[type=submit]")
    page.wait_for_url("**/admin/jobs/job/")


@pytest.mark.parametrize("width", [390, 820])
def test_small_screens_show_everything_too(width, console, story):
    console.set_viewport_size({"width": width, "height": 900})
    chosen = ("dashboard", "job-released", "creator", "rule-add", "jobs", "revision")
    for name in chosen:
        console.goto(addresses(story)[name])
        keep(console, f"{name}-{width}")
