"""The policy lifecycle in the console: an author proposes, an approver decides, and anybody sees why."""

import pytest
from django.urls import reverse

from governance.console.presentation import list_url, page_url
from governance.decisions.models import DecisionRecord, ReplayReport
from governance.decisions.replay import work_batch
from governance.rulebook.activation import activate_draft
from governance.rulebook.models import AbacRule, PolicyDraft, PolicyFreeze, PolicyRevision, RevisionAnchor
from governance.rulebook.queries import active_freeze, active_revision
from governance.rulebook.services import create_rule
from tests.factories.drafts import APPROVER, WORKER, approved
from tests.factories.rulebook import AbacRuleFactory
from tests.history import guards_lifted
from tests.integration.console.rules import spec

BLOCKING = {"attr": "subject.region", "op": "eq", "value": "DE"}


def url(draft, part):
    return reverse(f"admin:rulebook_policydraft_{part}", args=[draft.pk])


@pytest.fixture
def author(person):
    return person("Policy author")


@pytest.fixture
def approver(person):
    return person("Policy approver")


@pytest.fixture
def draft(market, author):
    """Return a draft that an author proposed: it blocks the region of the partner, who was permitted before."""
    market.submit()
    create_rule(spec=spec(condition=BLOCKING), enabled=True, actor_user=author.user)
    author.post(reverse("admin:rulebook_policydraft_propose"), {"title": "Block DE", "note": "Embargo"})
    return PolicyDraft.objects.get()


@pytest.fixture
def submitted(draft, author, sent):
    author.post(url(draft, "replay"), {"days": "1", "sample_percent": "100"})
    while work_batch(report_id=ReplayReport.objects.get().pk, actor=WORKER):
        pass
    author.post(url(draft, "submit"), {"comment": "Please look."})
    draft.refresh_from_db()
    return draft


def test_proposing_opens_and_checks_a_draft(draft, author, approver):
    page = author.get(page_url(draft)).content.decode()
    assert draft.state == "checked"
    assert "Deny asset.infer when the partner&#x27;s region is DE." in page
    assert "policy cases hold" in page
    assert "Not replayed yet" in page
    assert url(draft, "replay") in page
    assert url(draft, "approve") not in approver.get(page_url(draft)).content.decode()


def test_an_approver_does_not_propose(market, approver):
    assert approver.get(reverse("admin:rulebook_policydraft_propose")).status_code == 403


def test_the_replay_is_sent_to_the_workers_and_its_report_shows_what_flips(
    draft, author, sent, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        answer = author.post(url(draft, "replay"), {"days": "1", "sample_percent": "100"})
    report = ReplayReport.objects.get()
    assert answer.url == page_url(report)
    assert "assent.control.replay_draft" in sent
    assert 'http-equiv="refresh"' in author.get(page_url(report)).content.decode()
    while work_batch(report_id=report.pk, actor=WORKER):
        pass
    page = author.get(page_url(report) + "?direction=to_deny").content.decode()
    assert "permit → deny" in page
    assert "embargo" in page
    assert page_url(DecisionRecord.objects.first()) in page
    assert 'http-equiv="refresh"' not in page


def test_a_replay_can_be_stopped(draft, author):
    author.post(url(draft, "replay"), {"days": "1", "sample_percent": "100"})
    author.post(reverse("admin:decisions_replayreport_cancel", args=[ReplayReport.objects.get().pk]))
    assert ReplayReport.objects.get().state == "cancelled"


def test_somebody_else_approves_and_activates(submitted, author, approver):
    assert author.get(url(submitted, "approve")).status_code == 403
    page = approver.get(page_url(submitted)).content.decode()
    assert url(submitted, "approve") in page
    form = approver.get(url(submitted, "approve")).context["form"]
    approver.post(url(submitted, "approve"), {"digest": form.initial["digest"], "comment": "Fine by me."})
    approver.post(url(submitted, "activate"))
    submitted.refresh_from_db()
    assert (submitted.state, submitted.approved_by) == ("active", f"user:{approver.user.pk}")
    assert active_revision() == submitted.revision
    assert "Fine by me." in author.get(page_url(submitted)).content.decode()
    assert "In force" in author.get(list_url(AbacRule)).content.decode()
    revision = author.get(page_url(submitted.revision)).content.decode()
    assert "package assent.asset.infer" in revision
    assert str(submitted) in revision.replace("&#x27;", "'")


def test_even_a_superuser_does_not_approve_their_own(submitted, boss):
    create_rule(spec=spec("second"), enabled=True, actor_user=boss.user)
    boss.post(url(submitted, "refresh"))
    submitted.refresh_from_db()
    boss.post(url(submitted, "replay"), {"days": "1", "sample_percent": "100"})
    while work_batch(report_id=ReplayReport.objects.latest("asked_at").pk, actor=WORKER):
        pass
    boss.post(url(submitted, "submit"))
    assert url(submitted, "approve") not in boss.get(page_url(submitted)).content.decode()
    submitted.refresh_from_db()
    answer = boss.post(url(submitted, "approve"), {"digest": submitted.digest, "comment": "Mine."})
    assert "somebody else must approve it" in answer.content.decode()
    submitted.refresh_from_db()
    assert submitted.state == "in_review"


def test_a_rejection_needs_words(submitted, approver):
    assert approver.post(url(submitted, "reject"), {"comment": ""}).status_code == 200
    approver.post(url(submitted, "reject"), {"comment": "Too broad."})
    submitted.refresh_from_db()
    assert submitted.state == "rejected"
    assert "Too broad." in approver.get(page_url(submitted)).content.decode()


def test_one_step_back(submitted, approver):
    first = active_revision()
    approver.post(url(submitted, "approve"), {"digest": submitted.digest, "comment": "Fine."})
    approver.post(url(submitted, "activate"))
    second = active_revision()
    assert f"Roll back to {first}" in approver.get(rollback(second)).content.decode()
    approver.post(rollback(second), {"reason": "It denied too much.", "active": second.pk})
    assert active_revision() == first
    late = approver.post(rollback(second), {"reason": "The same thought.", "active": second.pk})
    assert "Another revision became active since you looked" in late.content.decode()
    assert active_revision() == first
    page = approver.get(page_url(first)).content.decode()
    assert "It denied too much." in page


def test_further_back_is_proposed_and_approved_by_another(submitted, approver, author):
    first = active_revision()
    approver.post(url(submitted, "approve"), {"digest": submitted.digest, "comment": "Fine."})
    approver.post(url(submitted, "activate"))
    AbacRuleFactory(slug="another", condition={"attr": "subject.region", "op": "eq", "value": "US"})
    activate_draft(draft=approved("Another"), actor=APPROVER)
    assert "Propose going back to this revision" in author.get(page_url(first)).content.decode()
    assert "nothing to roll back to" in approver.get(rollback(first)).content.decode()

    answer = author.post(restore(first), {"reason": "Both denied too much."})

    draft = PolicyDraft.objects.latest("number")
    assert answer.url == page_url(draft)
    assert (draft.digest, draft.restores, draft.state) == (first.digest, first, "checked")
    assert "Puts back" in author.get(page_url(draft)).content.decode()


def restore(revision):
    return reverse("admin:rulebook_policyrevision_restore", args=[revision.pk])


def rollback(revision):
    return reverse("admin:rulebook_policyrevision_rollback", args=[revision.pk])


def test_two_revisions_are_compared(submitted, approver, author):
    first = active_revision()
    approver.post(url(submitted, "approve"), {"digest": submitted.digest, "comment": "Fine."})
    approver.post(url(submitted, "activate"))
    page = author.get(page_url(active_revision()) + f"?against={first.number}").content.decode()
    assert 'data-line="+"' in page
    assert "Deny asset.infer when the partner&#x27;s region is DE." in page
    missing = author.get(page_url(active_revision()) + "?against=9999").content.decode()
    assert "There is no single policy revision" in missing
    assert PolicyRevision.objects.count() == 2


def test_the_brake_and_the_two_who_let_it_go(market, approver, boss, author):
    assert author.get(reverse("admin:rulebook_policyfreeze_begin")).status_code == 403
    approver.post(reverse("admin:rulebook_policyfreeze_begin"), {"reason": "A rule is wrong."})
    freeze = PolicyFreeze.objects.get()
    assert "Everything is denied" in approver.get(list_url(PolicyFreeze)).content.decode()
    assert "policy is frozen" in approver.get(reverse("admin:index")).content.decode()
    denied = market.submit().job
    assert (denied.state, denied.admission.reason_codes) == ("denied", ["policy_frozen"])
    lift = reverse("admin:rulebook_policyfreeze_lift", args=[freeze.pk])
    approver.post(lift)
    assert "A second person must agree" in approver.get(page_url(freeze)).content.decode()
    assert active_freeze() is not None
    assert "second person must agree" in approver.post(lift).content.decode()
    boss.post(lift)
    assert active_freeze() is None
    assert market.submit().job.state == "queued"


def test_a_decision_is_made_once_more_from_its_page(market, author):
    decision = market.submit().job.admission
    assert "It agrees." not in author.get(page_url(decision)).content.decode()
    assert "It agrees." in author.get(page_url(decision) + "?remake").content.decode()
    with guards_lifted():
        DecisionRecord.objects.update(effect="deny")
    assert "It does not agree" in author.get(page_url(decision) + "?remake").content.decode()
    with guards_lifted():
        RevisionAnchor.objects.all().delete()
    assert "It cannot be made again." in author.get(page_url(decision) + "?remake").content.decode()
