"""Claims in the console: both works side by side, and the decision."""

from io import BytesIO

import pytest
from django.urls import reverse

from governance.audit.types import SubjectRef
from governance.catalog.models import Asset, UploadReview
from governance.catalog.objects import read_verified
from governance.catalog.types import IncomingFile
from governance.catalog.works import register_asset
from governance.console.presentation import page_url
from tests.factories.catalog import ACTOR, CreatorFactory
from tests.html_forms import as_sent

LIST = "admin:catalog_uploadreview_changelist"
DECIDE = "admin:catalog_uploadreview_decide"


@pytest.fixture
def copy(market) -> Asset:
    return register_asset(
        creator=CreatorFactory(slug="bruno"),
        title="The copy",
        file=IncomingFile(BytesIO(read_verified(market.asset.object_name, market.asset.sha256)), "copy.png"),
        uploaded_by=SubjectRef("partner", str(market.partner.pk)),
        dataset=None,
        actor=ACTOR,
    )


@pytest.fixture
def claim(copy) -> UploadReview:
    return UploadReview.objects.get(asset=copy)


@pytest.fixture
def manager(person):
    return person("Governance manager")


def test_without_claims_the_list_says_so(market, manager):
    assert "No claims" in manager.get(reverse(LIST)).text


def test_a_claim_shows_both_works(market, copy, claim, manager):
    assert "The copy" in manager.get(reverse(LIST)).text
    page = manager.get(page_url(claim)).text
    for work in (market.asset, copy):
        assert reverse("admin:catalog_asset_picture", args=[work.pk]) in page
        assert page_url(work.creator) in page


def test_a_claim_is_decided_with_a_reason(copy, claim, manager):
    url = reverse(DECIDE, args=[claim.pk])
    sent = as_sent(manager.get(url).text) | {"decision": ["moved"], "reason": ["A signed letter."]}

    answer = manager.post(url, sent)

    assert answer.url == page_url(claim)
    claim.refresh_from_db()
    assert (claim.decision, claim.decided_by) == ("moved", f"user:{manager.user.pk}")
    page = manager.get(page_url(claim)).text
    assert "A signed letter." in page
    assert "Decide anew" in page


def test_a_decision_without_a_reason_is_refused_at_the_field(claim, manager):
    answer = manager.post(reverse(DECIDE, args=[claim.pk]), {"decision": "accepted", "reason": ""})

    assert "reason" in answer.context["form"].errors
    claim.refresh_from_db()
    assert claim.decision == ""


def test_an_auditor_sees_claims_and_decides_none(claim, person):
    auditor = person("Auditor")

    assert auditor.get(page_url(claim)).status_code == 200
    assert reverse(DECIDE, args=[claim.pk]) not in auditor.get(page_url(claim)).text
    assert auditor.post(reverse(DECIDE, args=[claim.pk]), {"decision": "accepted", "reason": "x"}).status_code == 403


def test_who_uploaded_the_work_is_sent_to_somebody_else(copy, claim, manager):
    Asset.objects.filter(pk=copy.pk).update(uploaded_by_type="user", uploaded_by_id=str(manager.user.pk))

    assert "somebody else has to decide" in manager.get(page_url(claim)).text
    answer = manager.post(reverse(DECIDE, args=[claim.pk]), {"decision": "accepted", "reason": "Mine."})
    assert "somebody else has to decide" in answer.text


def test_a_work_under_a_claim_offers_no_quarantine(market, copy, claim, manager):
    quarantine = "admin:catalog_asset_quarantine"
    page = manager.get(page_url(copy)).text

    assert page_url(claim) in page
    assert reverse(quarantine, args=[copy.pk]) not in page
    assert reverse(quarantine, args=[market.asset.pk]) in manager.get(page_url(market.asset)).text


def test_the_dashboard_counts_claims_while_there_are_some(copy, boss):
    figures = {figure.name: figure.value for figure in boss.get(reverse("admin:index")).context["figures"]}

    assert figures["Claims"] == "1"
