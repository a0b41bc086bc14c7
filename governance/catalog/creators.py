"""Use cases about creators: adding and changing them, suspending and reinstating them."""

from collections.abc import Collection
from typing import TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from governance.audit.recording.locking import lock_unchanged
from governance.audit.recording.record import record
from governance.audit.recording.states import State, filled_fields
from governance.audit.types import Actor
from governance.catalog.checks import check_reason, checked_slugs
from governance.catalog.choices import CreatorStatus
from governance.catalog.entries import CreatorChanged, CreatorCreated, CreatorStatusChanged
from governance.catalog.epochs import begin_epoch
from governance.catalog.errors import CreatorErased, CreatorInvalid
from governance.catalog.models import Creator
from governance.catalog.personal_data import commit_personal_data
from governance.catalog.states import CREATORS
from governance.catalog.terms import SLUG
from governance.kernel.regions import REGIONS
from governance.kernel.texts import is_line

NAME_CHARACTERS = 200


class CreatorDetails(TypedDict):
    """The details of a creator that can be changed. `uploaders` are slugs of partners; `email` may be empty."""

    display_name: str
    email: str
    region: str
    uploaders: Collection[str]


def create_creator(*, slug: str, actor: Actor, **details: Unpack[CreatorDetails]) -> Creator:
    """Add a creator, active and without any consent. Raises CreatorInvalid that names the field."""
    if not SLUG.fullmatch(slug):
        raise _invalid("slug", "A slug has 1 to 50 letters, digits, hyphens or underscores.")
    values = _checked(details)
    with transaction.atomic():
        creator = _inserted(slug, values)
        commit_personal_data(creator=creator, actor=actor)
        after = CREATORS.state(creator)
        entry = CreatorCreated(before=None, after=after, fields=filled_fields(after))
        record(entry, subject=CREATORS.ref(creator), actor=actor)
    return creator


def change_creator(
    *, creator: Creator, actor: Actor, seen: State | None = None, **details: Unpack[CreatorDetails]
) -> Creator:
    """Change the details of a creator; unchanged details are not recorded.

    `seen` is the state that the change was prepared from. Raises CreatorInvalid that names the field, CreatorErased,
    ChangedMeanwhile.
    """
    values = _checked(details)
    with transaction.atomic():
        current, before = lock_unchanged(CREATORS, creator, seen=seen)
        if current.erased_at is not None:
            raise CreatorErased("The creator's data was erased; nothing more is recorded for them.")
        changed = [name for name, value in values.items() if getattr(current, name) != value]
        if not changed:
            return current
        for name in changed:
            setattr(current, name, values[name])
        current.save(update_fields=changed)
        commit_personal_data(creator=current, actor=actor, fields=changed)
        current = CREATORS.rows().get(pk=current.pk)
        entry = CreatorChanged(before=before, after=CREATORS.state(current), fields=tuple(sorted(changed)))
        record(entry, subject=CREATORS.ref(current), actor=actor)
    return current


def suspend_creator(*, creator: Creator, reason: str, actor: Actor) -> Creator:
    """Suspend a creator: policy denies every use of the works, and permits based on the consent are void.

    A creator who is suspended already keeps the earlier reason. Raises CreatorInvalid for a reason that is not a line
    of text, ConsentInvalid for a creator whose data was erased.
    """
    return _set_status(creator, CreatorStatus.SUSPENDED, reason, actor)


def reinstate_creator(*, creator: Creator, reason: str, actor: Actor) -> Creator:
    """End the suspension of a creator; consent and policy decide again. Raises what `suspend_creator` raises."""
    return _set_status(creator, CreatorStatus.ACTIVE, reason, actor)


def _set_status(creator: Creator, status: CreatorStatus, reason: str, actor: Actor) -> Creator:
    check_reason(reason, CreatorInvalid)
    with transaction.atomic():
        current, before = lock_unchanged(CREATORS, creator, seen=None)
        if current.status != status:
            epoch = begin_epoch(current)
            current.status, current.status_reason = status, reason
            current.save(update_fields=["status", "status_reason"])
            commit_personal_data(creator=current, actor=actor, fields=["status_reason"])
            current = CREATORS.rows().get(pk=creator.pk)
            after = CREATORS.state(current)
            entry = CreatorStatusChanged(before=before, after=after, status=status, epoch=epoch)
            record(entry, subject=CREATORS.ref(current), actor=actor)
    return current


def _inserted(slug: str, values: dict[str, object]) -> Creator:
    try:
        with transaction.atomic():
            return Creator.objects.create(slug=slug, **values)
    except IntegrityError as error:
        raise _invalid("slug", "Another creator has this slug.") from error


def _checked(details: CreatorDetails) -> dict[str, object]:
    if not is_line(details["display_name"], most=NAME_CHARACTERS):
        raise _invalid("display_name", f"A name has 1 to {NAME_CHARACTERS} printable characters.")
    _check_email(details["email"])
    if details["region"] not in REGIONS:
        raise _invalid("region", f"'{details['region']}' is not a region: an ISO 3166-1 code such as DE, or EU.")
    uploaders = checked_slugs(details["uploaders"], "uploaders", CreatorInvalid)
    return {**details, "uploaders": uploaders}


def _check_email(email: str) -> None:
    try:
        if email:
            validate_email(email)
    except ValidationError as error:
        raise _invalid("email", "This is not an e-mail address.") from error


def _invalid(field: str, message: str) -> CreatorInvalid:
    return CreatorInvalid(message, details={"field": field})
