"""The story of a job, its pictures, and stopping it."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.storage import storages
from django.urls import reverse
from PIL import Image

from governance.catalog.objects import object_name
from governance.console.presentation import page_url
from governance.jobs.choices import JobState
from governance.jobs.leases import take_lease
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from tests.factories.marketplace import run


@pytest.fixture
def moderator(person):
    return person("Moderator")


def test_a_released_job_tells_its_whole_story(released, market, moderator):
    answer = moderator.get(page_url(released))
    page = answer.content.decode()
    context = answer.context
    assert [view.record.kind for view in context["decisions"]] == ["admission", "permit", "release"]
    assert [step.tone for step in context["steps"]] == ["good"] * 7
    assert [permit.redeemed_at is not None for permit in context["permits"]] == [True]
    assert [verdict.stage for verdict in context["verdicts"]] == ["input", "output"]
    assert [view.level for view in context["consents"]] == ["commercial"]
    assert context["licence"]["slug"] == "open"
    assert context["worm"].uri in page
    assert released.output.sha256[:12] in page
    assert reverse("admin:jobs_job_output", args=[released.pk]) in page
    for text in ("Run inference on a work", "asset-consented", "Lumen", "Revision 1", "nudenet"):
        assert text in page


def test_every_line_of_the_timeline_names_its_place_in_the_ledger(released, moderator):
    lines = moderator.get(page_url(released)).context["timeline"]
    places = [line.index for line in lines]
    titles = [line.title for line in lines]
    assert None not in places
    assert places == sorted(places)
    assert len(set(places)) == len(places)
    assert titles[0] == "Admission decided: permit"
    assert "Permit used by the model runtime" in titles
    assert "Evidence written to WORM storage" in titles
    assert titles[-1] == "Sealing evidence → Released"


def test_what_waits_for_the_sequencer_is_in_the_timeline_too(market, moderator):
    lines = moderator.get(page_url(market.submit().job)).context["timeline"]
    assert [(line.title, line.index) for line in lines] == [
        ("Admission decided: permit", None),
        ("Submitted → Queued", None),
    ]


def test_a_denial_says_why_and_by_which_rule(market, moderator):
    job = market.submit(purpose="research").job
    page = moderator.get(page_url(job)).content.decode()
    assert "consent_not_covered" in page
    assert "consent-not-covered" in page
    assert "Nothing was released, and nothing was kept." in page
    assert "No permit was issued" in page


def test_consent_is_shown_as_it_was_when_it_was_decided(market, moderator):
    job = market.submit().job
    market.withdraw()
    assert [view.epoch for view in moderator.get(page_url(job)).context["consents"]] == [1]
    run(job.pk)
    views = moderator.get(page_url(job)).context["consents"]
    assert [(view.epoch, "Withdrawn" in view.state) for view in views] == [(2, True)]


def test_a_job_that_waits_is_cancelled_at_once(market, moderator):
    job = market.submit().job
    url = reverse("admin:jobs_job_cancel", args=[job.pk])
    assert url in moderator.get(page_url(job)).content.decode()
    assert "The job is waiting." in moderator.get(url).content.decode()
    answer = moderator.post(url, follow=True)
    job.refresh_from_db()
    assert (job.state, job.reason_code) == (JobState.CANCELLED, "cancelled_on_request")
    assert "The job is cancelled." in answer.content.decode()
    assert url not in answer.content.decode()
    assert job.events.last().actor_id == str(moderator.user.pk)


def test_a_worker_is_asked_to_stop(market, moderator):
    job = market.submit().job
    take_lease(job_id=job.pk, owner="worker-1", waiting=JobState.QUEUED)
    url = reverse("admin:jobs_job_cancel", args=[job.pk])
    assert "A worker is running the job" in moderator.get(url).content.decode()
    answer = moderator.post(url, follow=True)
    job.refresh_from_db()
    assert job.cancel_requested
    assert "The worker was asked to stop." in answer.content.decode()
    assert "Cancelling asked for" in answer.content.decode()


def test_a_job_that_ended_cannot_be_cancelled(released, moderator):
    answer = moderator.post(reverse("admin:jobs_job_cancel", args=[released.pk]))
    assert "can no longer be cancelled" in answer.content.decode()


def test_a_late_job_is_marked(market, moderator):
    job = market.submit().job
    with clock.using(ManualClock(clock.now() + timedelta(days=1))):
        assert "Past its deadline" in moderator.get(page_url(job)).content.decode()


def test_pictures_are_small_private_and_kept(released, market, moderator):
    url = reverse("admin:jobs_job_output", args=[released.pk])
    answer = moderator.get(url)
    assert answer["Content-Type"] == "image/webp"
    assert answer["Cache-Control"] == "private, max-age=3600"
    assert Image.open(BytesIO(answer.content)).size == (48, 32)
    assert moderator.get(url, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert moderator.get(url, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(("harm", "notice"), [("alter", b"altered"), ("remove", b"missing")])
def test_a_picture_that_was_tampered_with_is_not_shown(harm, notice, market, moderator):
    name = object_name(market.asset.sha256)
    harms = {"alter": lambda: storages["objects"].save(name, BytesIO(b"other")), "remove": lambda: None}
    storages["objects"].delete(name)
    harms[harm]()
    answer = moderator.get(reverse("admin:catalog_asset_picture", args=[market.asset.pk]))
    assert answer["Content-Type"] == "image/svg+xml"
    assert answer["Cache-Control"] == "no-store"
    assert notice in answer.content


def test_a_job_without_an_output_has_no_picture(market, moderator):
    assert moderator.get(reverse("admin:jobs_job_output", args=[market.submit().job.pk])).status_code == 404
