"""Licences in the console: proposed, looked at with what they open and close, and decided on by somebody else."""

import pytest
from django.urls import reverse

from governance.catalog.choices import Direction, ProposalState
from governance.console.presentation import page_url
from governance.registry.models import Licence, LicenceProposal
from tests.factories.licences import change_licence, propose_change

PROPOSE = "admin:registry_licence_propose"
TERMS = {
    "name": "Research only",
    "slug": "research-only",
    "purposes": ["research"],
    "regions": "de fr",
    "partners": ["lumen"],
    "valid_from": "2026-01-01T00:00:00",
    "obligations": '[{"kind": "attribution", "parameters": {"text": "Thanks"}}]',
    "reason": "Asked for",
}


@pytest.fixture
def steward(person):
    return person("Model steward")


@pytest.fixture
def approver(person):
    return person("Policy approver")


def step(proposal, part):
    return reverse(f"admin:registry_licenceproposal_{part}", args=[proposal.pk])


def test_a_new_licence_is_proposed_and_approved_by_somebody_else(market, steward, approver):
    url = steward.post(reverse(PROPOSE), TERMS).url
    proposal = LicenceProposal.objects.get(slug="research-only")
    assert url == page_url(proposal)
    assert step(proposal, "approve") not in steward.get(url).content.decode()
    approver.post(step(proposal, "approve"), {"digest": proposal.digest})
    licence = Licence.objects.get(slug="research-only")
    assert (licence.purposes, licence.regions, licence.partners) == (["research"], ["DE", "FR"], ["lumen"])
    assert licence.obligations[0]["kind"] == "attribution"
    assert approver.get(page_url(licence)).status_code == 200


def test_a_narrowing_through_the_form_is_one_and_one_person_is_enough(market, steward):
    market.submit()
    licence = market.version.model.licence
    url = reverse("admin:registry_licence_edit", args=[licence.pk])
    shown = steward.get(url).context["form"]
    data = {name: shown[name].value() for name in ("name", "purposes", "base")}
    begins = licence.valid_from.strftime("%Y-%m-%dT%H:%M:%S")
    data |= {"regions": "US", "valid_from": begins, "obligations": "[]", "reason": "Only there"}
    steward.post(url, data)
    proposal = LicenceProposal.objects.get(state=ProposalState.OPEN)
    assert proposal.direction == Direction.NARROWER
    page = steward.get(page_url(proposal))
    assert [group.count for group in page.context["impact"]["closes"]] == [1, 1, 1, 1]
    steward.post(step(proposal, "approve"), {"digest": proposal.digest})
    licence.refresh_from_db()
    assert licence.regions == ["US"]


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("obligations", {"obligations": '{"kind": "attribution"}'}),
        ("obligations", {"obligations": '[{"parameters": {}}]'}),
        ("obligations", {"obligations": '[{"kind": "x", "more": 1}]'}),
        ("obligations", {"obligations": '[{"kind": "watermrk"}]'}),
        ("valid_until", {"valid_until": "2025-01-01T00:00:00"}),
        ("regions", {"regions": "Europe"}),
        ("reason", {"reason": ""}),
    ],
)
def test_a_licence_that_makes_no_sense_is_refused_at_the_field(field, changes, market, steward):
    answer = steward.post(reverse(PROPOSE), TERMS | changes)
    assert field in answer.context["form"].errors
    assert not LicenceProposal.objects.filter(slug="research-only").exists()


def test_lists_show_the_version_in_force_and_what_waits(market, steward):
    licence = market.version.model.licence
    change_licence(licence, regions=("DE",))
    proposal = propose_change(licence, regions=("DE", "FR"))
    page = steward.get(reverse("admin:registry_licence_changelist")).content.decode()
    assert "Version 2" in page
    assert page_url(proposal) in page
    assert "everywhere" in steward.get(page_url(licence)).content.decode()


def test_who_may_not_propose_or_review_is_refused(market, person):
    auditor = person("Auditor")
    licence = market.version.model.licence
    proposal = propose_change(licence, regions=("DE",))
    edit = reverse("admin:registry_licence_edit", args=[licence.pk])
    assert auditor.get(page_url(proposal)).status_code == 200
    for url in (reverse(PROPOSE), edit, *(step(proposal, part) for part in ("edit", "approve", "reject"))):
        assert auditor.get(url).status_code == 403
