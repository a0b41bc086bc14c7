"""Uploads that wait for a person: which do, what the uploader sees, and what a decision does."""

import io
import json
from typing import Any

import pytest
from django.db import DatabaseError
from pytest_django import Settings

from governance.audit.errors import ChangedMeanwhile
from governance.audit.models import OutboxEntry
from governance.audit.types import Actor, SubjectRef
from governance.catalog.choices import AssetStatus, ReviewCause, ReviewDecision
from governance.catalog.errors import AssetInvalid, OwnUpload, ReviewDecided, ReviewDecides, ReviewInvalid
from governance.catalog.models import Asset, Creator, UploadReview
from governance.catalog.review_decisions import decide_review
from governance.catalog.states import UPLOAD_REVIEWS
from governance.catalog.types import IncomingFile
from governance.catalog.works import end_quarantine, quarantine_asset, register_asset
from tests.factories.catalog import CreatorFactory
from tests.factories.images import image_bytes

pytestmark = pytest.mark.django_db

JUDGE = Actor("user", "7")
PARTNER = SubjectRef("partner", "42")


def upload(creator: Creator, *, by: SubjectRef = PARTNER) -> Asset:
    return register_asset(
        creator=creator,
        title="Dunes",
        file=IncomingFile(io.BytesIO(image_bytes(seed=1)), "dunes.png"),
        uploaded_by=by,
        dataset=None,
        actor=Actor("client", "app"),
    )


def status(asset: Asset) -> str:
    return Asset.objects.get(pk=asset.pk).status


def decided(asset: Asset, decision: ReviewDecision, **said: Any) -> UploadReview:
    sound = {"reason": "Seen.", "actor": JUDGE}
    return decide_review(review=UploadReview.objects.get(asset=asset), decision=decision, **sound | said)


@pytest.fixture
def first() -> Asset:
    return upload(CreatorFactory())


@pytest.fixture
def second(first: Asset) -> Asset:
    return upload(CreatorFactory())


def test_bytes_that_another_creator_has_are_registered_and_wait(first: Asset, second: Asset) -> None:
    review = UploadReview.objects.get()

    assert (status(first), status(second)) == (AssetStatus.ACTIVE, AssetStatus.IN_REVIEW)
    assert (review.asset, review.cause, review.decision) == (second, ReviewCause.SAME_BYTES, "")


def test_the_same_bytes_of_one_creator_do_not_wait(first: Asset) -> None:
    assert status(upload(first.creator)) == AssetStatus.ACTIVE
    assert not UploadReview.objects.exists()


def test_a_creator_in_whose_favour_it_was_decided_may_upload_the_bytes_again(first: Asset, second: Asset) -> None:
    decided(second, ReviewDecision.ACCEPTED)

    assert status(upload(second.creator)) == AssetStatus.ACTIVE
    assert status(upload(first.creator)) == AssetStatus.ACTIVE


def test_nothing_in_the_log_says_why_an_upload_waits(first: Asset, second: Asset) -> None:
    entry = OutboxEntry.objects.get(kind="upload_review.opened")
    said = json.loads(bytes(entry.body))

    assert said["data"] == {
        "before": None,
        "after": {"asset": str(second.pk), "decision": "", "displaced": []},
    }
    assert str(first.pk) not in bytes(entry.body).decode()


@pytest.mark.parametrize(
    ("percent", "by", "cause"),
    [
        (100, SubjectRef("partner", "42"), [ReviewCause.SPOT_CHECK]),
        (100, SubjectRef("user", "1"), []),
        (0, SubjectRef("partner", "42"), []),
    ],
)
def test_some_uploads_of_partners_wait_for_a_spot_check(
    percent: int, by: SubjectRef, cause: list[ReviewCause], settings: Settings
) -> None:
    settings.ASSENT_REVIEW_PERCENT = percent

    upload(CreatorFactory(), by=by)

    assert [*UploadReview.objects.values_list("cause", flat=True)] == cause


@pytest.mark.parametrize(
    ("decision", "of_first", "of_second"),
    [
        (ReviewDecision.ACCEPTED, AssetStatus.ACTIVE, AssetStatus.ACTIVE),
        (ReviewDecision.REFUSED, AssetStatus.ACTIVE, AssetStatus.QUARANTINED),
        (ReviewDecision.MOVED, AssetStatus.QUARANTINED, AssetStatus.ACTIVE),
    ],
)
def test_a_decision_says_what_becomes_of_both_works(
    decision: ReviewDecision, of_first: AssetStatus, of_second: AssetStatus, first: Asset, second: Asset
) -> None:
    review = decided(second, decision, reason="The contract names the second.")

    assert (status(first), status(second)) == (of_first, of_second)
    assert (review.decision, review.decided_by) == (decision, "user:7")
    assert Asset.objects.get(pk=second.pk).status_reason == "The contract names the second."
    entry = OutboxEntry.objects.get(kind="upload_review.decided")
    said = json.loads(bytes(entry.body))["data"]
    assert (said["before"]["decision"], said["after"]) == ("", UPLOAD_REVIEWS.state(review))


@pytest.mark.parametrize(
    ("then", "of_first", "of_second"),
    [
        (ReviewDecision.ACCEPTED, AssetStatus.ACTIVE, AssetStatus.ACTIVE),
        (ReviewDecision.REFUSED, AssetStatus.ACTIVE, AssetStatus.QUARANTINED),
    ],
)
def test_a_later_decision_undoes_the_earlier_one(
    then: ReviewDecision, of_first: AssetStatus, of_second: AssetStatus, first: Asset, second: Asset
) -> None:
    decided(second, ReviewDecision.MOVED)

    assert decided(second, then).displaced == []
    assert (status(first), status(second)) == (of_first, of_second)


def test_a_quarantine_for_another_reason_outlasts_a_new_decision(first: Asset, second: Asset) -> None:
    decided(second, ReviewDecision.ACCEPTED)
    quarantine_asset(asset=second, reason="A complaint.", actor=JUDGE)

    decided(second, ReviewDecision.MOVED)

    assert status(second) == AssetStatus.QUARANTINED


def test_a_quarantine_of_the_other_work_from_before_is_not_ended(first: Asset, second: Asset) -> None:
    quarantine_asset(asset=first, reason="A complaint.", actor=JUDGE)
    decided(second, ReviewDecision.MOVED)

    decided(second, ReviewDecision.ACCEPTED)

    assert status(first) == AssetStatus.QUARANTINED


def test_nobody_gets_past_a_claim_by_way_of_the_quarantine(first: Asset, second: Asset) -> None:
    with pytest.raises(ReviewDecides):
        quarantine_asset(asset=second, reason="Quickly.", actor=JUDGE)
    with pytest.raises(ReviewDecides):
        end_quarantine(asset=second, reason="Quickly.", actor=JUDGE)

    decided(second, ReviewDecision.REFUSED)
    with pytest.raises(ReviewDecides):
        end_quarantine(asset=second, reason="Quickly.", actor=JUDGE)

    decided(second, ReviewDecision.MOVED)
    with pytest.raises(ReviewDecides):
        end_quarantine(asset=first, reason="Quickly.", actor=JUDGE)


def test_who_uploaded_a_work_does_not_decide_on_it(first: Asset) -> None:
    own = upload(CreatorFactory(), by=SubjectRef("user", "7"))

    with pytest.raises(OwnUpload):
        decided(own, ReviewDecision.ACCEPTED)
    assert status(own) == AssetStatus.IN_REVIEW


def test_a_decision_is_not_taken_twice(second: Asset) -> None:
    decided(second, ReviewDecision.ACCEPTED)

    with pytest.raises(ReviewDecided):
        decided(second, ReviewDecision.ACCEPTED)


def test_a_decision_prepared_before_another_is_refused(second: Asset) -> None:
    seen = UPLOAD_REVIEWS.state(UploadReview.objects.get())
    decided(second, ReviewDecision.REFUSED)

    with pytest.raises(ChangedMeanwhile):
        decided(second, ReviewDecision.ACCEPTED, seen=seen)


def test_a_decision_needs_a_reason(second: Asset) -> None:
    with pytest.raises(ReviewInvalid) as refusal:
        decided(second, ReviewDecision.ACCEPTED, reason=" ")
    assert refusal.value.details == {"field": "reason"}


def test_where_nobody_else_has_the_bytes_nothing_can_be_moved(settings: Settings) -> None:
    settings.ASSENT_REVIEW_PERCENT = 100
    alone = upload(CreatorFactory())

    with pytest.raises(ReviewInvalid) as refusal:
        decided(alone, ReviewDecision.MOVED)
    assert refusal.value.details == {"field": "decision"}
    decided(alone, ReviewDecision.ACCEPTED)
    assert status(alone) == AssetStatus.ACTIVE


def test_a_third_claim_waits_for_its_own_decision(first: Asset, second: Asset) -> None:
    third = upload(CreatorFactory())

    decided(second, ReviewDecision.MOVED)

    assert (status(first), status(second), status(third)) == (
        AssetStatus.QUARANTINED,
        AssetStatus.ACTIVE,
        AssetStatus.IN_REVIEW,
    )


def test_the_database_keeps_what_a_claim_is_about(first: Asset, second: Asset) -> None:
    with pytest.raises(DatabaseError):
        UploadReview.objects.update(asset=first)


def test_an_upload_that_is_refused_opens_no_claim(first: Asset) -> None:
    erased = CreatorFactory()
    Creator.objects.filter(pk=erased.pk).update(
        erased_at=erased.created_at, display_name="Erased creator", email="", status="suspended", uploaders=[]
    )
    with pytest.raises(AssetInvalid):
        upload(erased)
    assert not UploadReview.objects.exists()
