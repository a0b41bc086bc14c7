"""Decisions of people on uploads that wait for review.

Locks are taken in this order: the bytes by name, then creator and work, one work after the other.
"""

from uuid import UUID

from django.db import transaction

from governance.audit.guards.advisory_locks import LockScope, wait_for_named_lock
from governance.audit.recording.locking import lock_unchanged
from governance.audit.recording.record import record
from governance.audit.recording.states import State
from governance.audit.types import Actor
from governance.catalog.checks import check_reason
from governance.catalog.choices import AssetStatus, ReviewDecision
from governance.catalog.entries import UploadReviewDecided
from governance.catalog.errors import OwnUpload, ReviewDecided, ReviewInvalid
from governance.catalog.models import Asset, UploadReview
from governance.catalog.reviews import rivals
from governance.catalog.states import UPLOAD_REVIEWS
from governance.catalog.works import set_status
from governance.kernel import clock


def decide_review(
    *, review: UploadReview, decision: ReviewDecision, reason: str, actor: Actor, seen: State | None = None
) -> UploadReview:
    """Decide on an upload, or decide anew.

    ACCEPTED makes the work usable and leaves those of other creators as they are. REFUSED puts it into quarantine.
    MOVED makes it usable and puts the works of other creators with the same bytes into quarantine; a later decision
    takes those out again. `reason` is kept with every work whose status changes. Raises ReviewInvalid, ReviewDecided
    for the decision that stands already, OwnUpload, ChangedMeanwhile.
    """
    check_reason(reason, ReviewInvalid)
    with transaction.atomic():
        asset = Asset.objects.get(pk=review.asset_id)
        if (asset.uploaded_by_type, asset.uploaded_by_id) == (actor.type, actor.id):
            raise OwnUpload("You uploaded this work yourself; somebody else has to decide on it.")
        wait_for_named_lock(LockScope.ASSET, asset.sha256)
        locked, before = lock_unchanged(UPLOAD_REVIEWS, review, seen=seen)
        if locked.decision == decision:
            raise ReviewDecided("This decision stands already.")
        others = list(rivals(sha256=asset.sha256, creator_id=asset.creator_id))
        if decision == ReviewDecision.MOVED and not others:
            raise ReviewInvalid("No other work has these bytes.", details={"field": "decision"})
        _set_own_status(asset, locked.decision, decision, reason, actor)
        locked.displaced = _displace(others, locked, decision, reason, actor)
        locked.decision, locked.decided_by, locked.decided_at = decision, str(actor), clock.now()
        locked.save(update_fields=["decision", "displaced", "decided_by", "decided_at"])
        entry = UploadReviewDecided(before=before, after=UPLOAD_REVIEWS.state(locked))
        record(entry, subject=UPLOAD_REVIEWS.ref(locked), actor=actor)
    return locked


def _set_own_status(asset: Asset, earlier: str, decision: ReviewDecision, reason: str, actor: Actor) -> None:
    if decision == ReviewDecision.REFUSED:
        set_status(asset, AssetStatus.QUARANTINED, reason, actor)
    elif earlier in ("", ReviewDecision.REFUSED):
        # After any other decision the work is usable, or in quarantine for a reason that is not ours to end.
        set_status(asset, AssetStatus.ACTIVE, reason, actor)


def _displace(
    others: list[Asset], review: UploadReview, decision: ReviewDecision, reason: str, actor: Actor
) -> list[UUID]:
    """Put the other works into quarantine, or take out those that the earlier decision put there; return their ids."""
    if decision == ReviewDecision.MOVED:
        usable = [other for other in others if other.status == AssetStatus.ACTIVE]
        for other in usable:
            set_status(other, AssetStatus.QUARANTINED, reason, actor)
        return [other.pk for other in usable]
    for other in others:
        if other.pk in review.displaced:
            set_status(other, AssetStatus.ACTIVE, reason, actor)
    return []
