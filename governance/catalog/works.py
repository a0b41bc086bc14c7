"""Use cases about works: registering works, changing their details, quarantine.

Locks are taken in this order: creator, asset, dataset.
"""

from collections.abc import Iterable
from pathlib import PurePath

from django.conf import settings
from django.db import transaction

from governance.audit.evidence.commitments import commit
from governance.audit.evidence.receipts import record_with_receipt
from governance.audit.guards.advisory_locks import LockScope, wait_for_named_lock
from governance.audit.recording.locking import lock_unchanged
from governance.audit.recording.record import record
from governance.audit.recording.states import State
from governance.audit.types import Actor, SubjectRef
from governance.catalog import objects
from governance.catalog.checks import check_reason
from governance.catalog.choices import AssetStatus, ReviewDecision
from governance.catalog.datasets import hold_dataset
from governance.catalog.entries import AssetChanged, AssetRegistered, AssetStatusChanged
from governance.catalog.errors import AssetInvalid, ReviewDecides
from governance.catalog.measuring import found_in
from governance.catalog.models import Asset, Creator, Dataset, UploadReview
from governance.catalog.picture_limits import picture_limits
from governance.catalog.receipts import upload_statement
from governance.catalog.reviews import cause_of_review, open_review
from governance.catalog.states import ASSETS
from governance.catalog.types import IncomingFile
from governance.kernel.texts import is_line
from governance.pictures.decoding import inspect

TITLE_CHARACTERS = 200
TAG_CHARACTERS = 50
TAGS = 50


def register_asset(
    *,
    creator: Creator,
    title: str,
    file: IncomingFile,
    uploaded_by: SubjectRef,
    dataset: Dataset | None,
    actor: Actor,
) -> Asset:
    """Register a creator's work: a PNG, JPEG or WebP image of at most ASSENT_MAX_UPLOAD_BYTES that decodes.

    Without a `title` the file's name is used as such. Bytes that another creator's work has are registered all the
    same, waiting for review (`catalog.reviews`). Raises AssetInvalid, DatasetInvalid, UploadTooLarge, PictureRefused,
    ObjectStoreUnavailable or ObjectAltered, and then no asset exists. If the transaction fails after the bytes were
    stored, they stay in storage under their digest without a reference.
    """
    called = _title(title, file.name)
    with objects.received(file.stream, limit=settings.ASSENT_MAX_UPLOAD_BYTES) as item:
        image = inspect(item.path.read_bytes(), file.limits or picture_limits())
        stored = objects.store(item)
    with transaction.atomic():
        cause = cause_of_review(sha256=stored.sha256, creator=creator, uploaded_by=uploaded_by)
        _refuse_erased(creator)
        if dataset is not None:
            hold_dataset(dataset)
        asset = Asset.objects.create(
            creator=creator,
            dataset=dataset,
            title=called,
            media_type=image.media_type,
            size=stored.size,
            sha256=stored.sha256,
            object_name=stored.name,
            **found_in(image),
            status=AssetStatus.ACTIVE if cause is None else AssetStatus.IN_REVIEW,
            uploaded_by_type=uploaded_by.type,
            uploaded_by_id=uploaded_by.id,
        )
        _commit(asset, "title")
        entry = AssetRegistered.of(asset, ASSETS.state(asset))
        statement = upload_statement(asset, entry.to_own_data())
        record_with_receipt(entry, subject=ASSETS.ref(asset), actor=actor, **statement)
        if cause is not None:
            open_review(asset=asset, cause=cause, actor=actor)
    return asset


def change_asset(
    *,
    asset: Asset,
    title: str,
    tags: Iterable[str],
    dataset: Dataset | None,
    actor: Actor,
    seen: State | None = None,
) -> Asset:
    """Change title, tags and dataset of a work; unchanged values are not recorded.

    `seen` is the state that the change was prepared from. Raises AssetInvalid that names the field, also for a work
    whose creator's data was erased; DatasetInvalid, ChangedMeanwhile.
    """
    title, kept_tags = _checked_title(title.strip()), _checked_tags(tags)
    with transaction.atomic():
        _refuse_erased(asset.creator)
        current, before = lock_unchanged(ASSETS, asset, seen=seen)
        renamed = current.title != title
        current.title, current.tags, current.dataset = title, kept_tags, dataset
        if not renamed and ASSETS.state(current) == before:
            return current
        if dataset is not None:
            hold_dataset(dataset)
        current.save(update_fields=["title", "tags", "dataset"])
        if renamed:
            _commit(current, "title")
        current = ASSETS.rows().get(pk=asset.pk)
        entry = AssetChanged(before=before, after=ASSETS.state(current))
        record(entry, subject=ASSETS.ref(current), actor=actor)
    return current


def quarantine_asset(*, asset: Asset, reason: str, actor: Actor) -> Asset:
    """Put a work into quarantine: policy denies every use of it.

    A work that is in quarantine already keeps the earlier reason. Raises AssetInvalid for a reason that is not a
    line of text, ReviewDecides for a work whose status a claim decides.
    """
    return _set_quarantine(asset, AssetStatus.QUARANTINED, reason, actor)


def end_quarantine(*, asset: Asset, reason: str, actor: Actor) -> Asset:
    """Take a work out of quarantine. Raises what `quarantine_asset` raises."""
    return _set_quarantine(asset, AssetStatus.ACTIVE, reason, actor)


def _set_quarantine(asset: Asset, status: AssetStatus, reason: str, actor: Actor) -> Asset:
    with transaction.atomic():
        wait_for_named_lock(LockScope.ASSET, asset.sha256)
        if is_decided_by_a_claim(asset):
            raise ReviewDecides("A claim decides on this work. Decide on it under Claims.")
        return set_status(asset, status, reason, actor)


def is_decided_by_a_claim(asset: Asset) -> bool:
    """Return whether a work cannot be used until a claim is decided, or because of the decision on one."""
    against = UploadReview.objects.filter(asset=asset, decision__in=["", ReviewDecision.REFUSED])
    return against.exists() or UploadReview.objects.filter(displaced__contains=[asset.pk]).exists()


def set_status(asset: Asset, status: AssetStatus, reason: str, actor: Actor) -> Asset:
    """Change the status of a work, on record; what it has already keeps its reason. Raises AssetInvalid."""
    check_reason(reason, AssetInvalid)
    with transaction.atomic():
        # Lock the creator's row first, as an erasure does, which removes reasons too.
        erased = Creator.objects.select_for_update(no_key=True).get(pk=asset.creator_id).erased_at is not None
        current, before = lock_unchanged(ASSETS, asset, seen=None)
        if current.status != status:
            # Free text may name the creator, and no personal data may be added after an erasure.
            current.status, current.status_reason = status, "" if erased else reason
            current.save(update_fields=["status", "status_reason"])
            _commit(current, "status_reason")
            current = ASSETS.rows().get(pk=asset.pk)
            after = ASSETS.state(current)
            entry = AssetStatusChanged(before=before, after=after, status=status, sha256=current.sha256)
            record(entry, subject=ASSETS.ref(current), actor=actor)
    return current


def _commit(asset: Asset, name: str) -> None:
    value = getattr(asset, name)
    if value:
        commit(subject=ASSETS.ref(asset), name=name, value=value)


def _refuse_erased(creator: Creator) -> None:
    """Lock the creator, so that no work is registered during an erasure, which replaces every title."""
    if Creator.objects.select_for_update(no_key=True).get(pk=creator.pk).erased_at is not None:
        raise AssetInvalid("The creator's data was erased; no work can be added.", details={"field": "creator"})


def _title(title: str, filename: str) -> str:
    return _checked_title(title.strip() or PurePath(filename).name.strip())


def _checked_title(title: str) -> str:
    if not is_line(title, most=TITLE_CHARACTERS):
        message = f"A title has 1 to {TITLE_CHARACTERS} printable characters."
        raise AssetInvalid(message, details={"field": "title"})
    return title


def _checked_tags(tags: Iterable[str]) -> list[str]:
    kept = list(dict.fromkeys(tag.strip() for tag in tags))
    if len(kept) > TAGS or not all(is_line(tag, most=TAG_CHARACTERS) for tag in kept):
        message = f"A work has at most {TAGS} tags of 1 to {TAG_CHARACTERS} printable characters."
        raise AssetInvalid(message, details={"field": "tags"})
    return kept
