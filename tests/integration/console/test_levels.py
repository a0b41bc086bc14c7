"""Consent levels in the console: proposed, looked at with what they open and close, and decided on by somebody else."""

import pytest
from django.urls import reverse

from governance.catalog.choices import ProposalState
from governance.catalog.models import ConsentLevel, ConsentLevelProposal, ConsentLevelVersion
from governance.console.presentation import page_url
from tests.factories.levels import change_level, content_of, propose
from tests.factories.marketplace import make_asset

INFER = "asset.infer:commercial"
DERIVED = "asset.infer:derivative_commercial"
ADD = "admin:catalog_consentlevel_propose"


@pytest.fixture
def author(person):
    return person("Policy author")


@pytest.fixture
def approver(person):
    return person("Policy approver")


def said(level=None, **other):
    now = content_of(level).to_json() if level else {"name": "Look", "slug": "look", "rank": 5, "pairs": [INFER]}
    return {**now, "reason": "Asked for", "base": level.in_force_id if level else "", **other}


def step(proposal, part):
    return reverse(f"admin:catalog_consentlevelproposal_{part}", args=[proposal.pk])


def edit(level):
    return reverse("admin:catalog_consentlevel_edit", args=[level.pk])


def test_a_new_level_is_proposed_and_approved_by_somebody_else(market, author, approver):
    proposal_url = author.post(reverse(ADD), said()).url
    proposal = ConsentLevelProposal.objects.get(slug="look")
    assert proposal_url == page_url(proposal)
    assert not ConsentLevel.objects.filter(slug="look").exists()
    page = author.get(proposal_url).content.decode()
    assert "A person who wrote none of it must approve it." in page
    assert step(proposal, "approve") not in page

    assert step(proposal, "approve") in approver.get(proposal_url).content.decode()
    answer = approver.post(step(proposal, "approve"), {"digest": proposal.digest})
    assert answer.url == proposal_url
    assert ConsentLevel.objects.get(slug="look").in_force.pairs == [INFER]


def test_the_author_of_a_widening_is_refused(market, person):
    both = person("Policy author", "Policy approver")
    both.post(edit(market.level), said(market.level, pairs=[INFER, DERIVED, "asset.train:research"]))
    proposal = ConsentLevelProposal.objects.get(state=ProposalState.OPEN)
    answer = both.post(step(proposal, "approve"), {"digest": proposal.digest})
    assert "somebody else must approve it" in answer.content.decode()
    assert step(proposal, "approve") not in both.get(page_url(proposal)).content.decode()


def test_the_preview_counts_and_lists_what_a_narrowing_closes(market, author):
    other = make_asset(market.creator)
    market.submit()
    author.post(edit(market.level), said(market.level, pairs=[DERIVED]))
    proposal = ConsentLevelProposal.objects.get(state=ProposalState.OPEN)

    answer = author.get(page_url(proposal))

    assert [(group.name, group.count) for group in answer.context["impact"]["closes"]] == [
        ("works", 2),
        ("creators", 1),
        ("models", 1),
        ("jobs", 1),
    ]
    page = answer.content.decode()
    assert page_url(other) in page
    assert "Put into force now" in page
    assert "2 works" in " ".join(author.get(step(proposal, "approve")).content.decode().split())


def test_one_person_puts_a_narrowing_into_force_and_the_creator_sees_why(market, author):
    author.post(edit(market.level), said(market.level, pairs=[DERIVED], reason="A creator objected"))
    proposal = ConsentLevelProposal.objects.get(state=ProposalState.OPEN)

    author.post(step(proposal, "approve"), {"digest": proposal.digest})

    assert ConsentLevelVersion.objects.filter(level=market.level).count() == 2
    page = author.get(page_url(market.creator)).content.decode()
    assert "Level narrowed" in page
    assert "A creator objected" in page
    assert f"put into force by {author.user.username}" in page


def test_a_widening_opens_nothing_by_itself(market, author):
    proposal = propose(
        market.level, pairs=[tuple(INFER.split(":")), tuple(DERIVED.split(":")), ("asset.train", "research")]
    )
    answer = author.get(page_url(proposal))
    assert [group.count for group in answer.context["impact"]["closes"]] == [0, 0, 0, 0]
    assert [(group.name, group.count) for group in answer.context["impact"]["opens"]] == [("works", 1), ("creators", 1)]
    assert "would have to grant it again" in answer.content.decode()


def test_a_stale_proposal_says_what_changed_and_is_written_anew(market, author, approver):
    proposal = propose(market.level, pairs=[])
    change_level(market.level, pairs=[tuple(INFER.split(":"))])

    page = approver.get(page_url(proposal)).content.decode()
    assert f"no longer permits {DERIVED}" in page
    assert step(proposal, "approve") not in page
    assert "starts from the version in force" in page
    form = author.get(step(proposal, "edit"))
    assert "Another version came into force since this was written." in form.content.decode()
    fresh = ConsentLevel.objects.get(pk=market.level.pk)
    author.post(step(proposal, "edit"), said(fresh, pairs=[]))
    proposal.refresh_from_db()
    assert proposal.base == fresh.in_force


def test_a_form_that_was_opened_before_another_version_says_so(market, author):
    old = said(market.level, pairs=[])
    change_level(market.level, pairs=[tuple(INFER.split(":"))])
    answer = author.post(edit(market.level), old)
    assert "Version 2 is in force since" in answer.content.decode()
    assert not ConsentLevelProposal.objects.filter(state=ProposalState.OPEN).exists()


def test_a_proposal_is_rejected_with_a_word_and_withdrawn_by_its_author(market, author, approver):
    rejected = propose(market.level, pairs=[])
    assert "This field is required." in approver.post(step(rejected, "reject"), {"comment": ""}).content.decode()
    approver.post(step(rejected, "reject"), {"comment": "Not now"})
    assert "Not now" in author.get(page_url(rejected)).content.decode()
    author.post(edit(market.level), said(market.level, pairs=[]))
    own = ConsentLevelProposal.objects.get(state=ProposalState.OPEN)
    assert approver.post(step(own, "withdraw")).status_code == 403
    author.post(step(own, "withdraw"), {"comment": ""})
    own.refresh_from_db()
    rejected.refresh_from_db()
    assert (rejected.state, own.state) == (ProposalState.REJECTED, ProposalState.WITHDRAWN)


def test_who_may_not_propose_or_review_is_refused(market, person):
    auditor = person("Auditor")
    proposal = propose(market.level, pairs=[])
    assert auditor.get(page_url(proposal)).status_code == 200
    for url in (reverse(ADD), edit(market.level), *(step(proposal, part) for part in ("edit", "approve", "reject"))):
        assert auditor.get(url).status_code == 403


def test_lists_show_the_version_in_force_and_what_waits(market, author):
    proposal = propose(market.level, pairs=[])
    levels = author.get(reverse("admin:catalog_consentlevel_changelist")).content.decode()
    assert "Version 1" in levels
    assert "1 open" in levels
    assert page_url(proposal) in levels
    assert page_url(proposal) in author.get(reverse("admin:catalog_consentlevelproposal_changelist")).content.decode()
    assert page_url(proposal) in author.get(page_url(market.level)).content.decode()


def test_a_level_shows_its_versions_and_what_each_changed(market, author):
    change_level(market.level, pairs=[tuple(INFER.split(":"))])
    answer = author.get(page_url(market.level))
    first, second = answer.context["versions"]
    assert [change.removed for change in first.changes] == [(DERIVED,)]
    assert (second.version.number, second.version.effective) == (1, [INFER])
    assert "Grants of this version permit today" in answer.content.decode()


def test_a_grant_form_that_was_opened_before_another_version_says_so(market, person):
    manager = person("Governance manager")
    url = reverse("admin:catalog_creator_grant", args=[market.creator.pk])
    old = market.level.in_force_id
    change_level(market.level, pairs=[tuple(INFER.split(":"))])
    answer = manager.post(url, {"level_version": old, "method": "console"})
    assert "Another version of this level is in force now." in answer.content.decode()


def test_the_dashboard_counts_what_waits_for_review(market, approver):
    home = reverse("admin:index")
    assert "waiting for review" not in approver.get(home).content.decode()
    propose(market.level, pairs=[])
    assert "waiting for review" in approver.get(home).content.decode()
