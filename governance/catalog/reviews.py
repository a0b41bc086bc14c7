"""Uploads that wait until a person has decided on them: of bytes that another creator's work has, and spot checks.

Until then policy denies every use of the work. Nothing that an uploader sees says why a work waits, or whether there is
another: the same bytes under another name would say that somebody else has them.
"""

from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from governance.audit.guards.advisory_locks import LockScope, wait_for_named_lock
from governance.audit.recording.record import record
from governance.audit.types import Actor, SubjectRef
from governance.catalog.choices import AssetStatus, ReviewCause
from governance.catalog.entries import UploadReviewOpened
from governance.catalog.models import Asset, Creator, UploadReview
from governance.catalog.queries import UPLOADED_BY_PARTNER
from governance.catalog.states import UPLOAD_REVIEWS

_SPOT_CHECK = "governance.catalog.spot_check"


def rivals(*, sha256: str, creator_id: UUID) -> QuerySet[Asset]:
    """Return the works of other creators that have the same bytes."""
    return Asset.objects.filter(sha256=sha256).exclude(creator_id=creator_id).order_by("created_at", "pk")


def cause_of_review(*, sha256: str, creator: Creator, uploaded_by: SubjectRef) -> ReviewCause | None:
    """Return why an upload has to wait for a person; None if it need not.

    One transaction at a time registers the same bytes. A creator who has a usable work of these bytes may upload them
    again: a person decided on them already, or nobody else had them.
    """
    wait_for_named_lock(LockScope.ASSET, sha256)
    if rivals(sha256=sha256, creator_id=creator.pk).exists():
        usable = Asset.objects.filter(sha256=sha256, creator=creator, status=AssetStatus.ACTIVE)
        return None if usable.exists() else ReviewCause.SAME_BYTES
    return ReviewCause.SPOT_CHECK if uploaded_by.type == UPLOADED_BY_PARTNER and _is_spot_checked(sha256) else None


def open_review(*, asset: Asset, cause: ReviewCause, actor: Actor) -> UploadReview:
    """Queue a work that was just registered as waiting for review. The entry does not say why it waits."""
    review = UploadReview.objects.create(asset=asset, cause=cause)
    entry = UploadReviewOpened(before=None, after=UPLOAD_REVIEWS.state(review))
    record(entry, subject=UPLOAD_REVIEWS.ref(review), actor=actor)
    return review


def _is_spot_checked(sha256: str) -> bool:
    # By a keyed hash: the same bytes always have the same answer, and nobody outside can tell which.
    drawn = int(salted_hmac(_SPOT_CHECK, sha256, algorithm="sha256").hexdigest()[:8], 16)
    return drawn % 100 < settings.ASSENT_REVIEW_PERCENT
