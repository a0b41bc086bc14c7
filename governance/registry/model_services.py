"""Use cases about models: adding and changing them, and deleting one without versions."""

from typing import TypedDict, Unpack
from uuid import UUID

from django.db import IntegrityError, transaction

from governance.audit.recording.locking import lock_unchanged
from governance.audit.recording.record import record
from governance.audit.recording.states import State, changed_fields, filled_fields
from governance.audit.types import Actor
from governance.catalog.states import DESCRIPTION_CHARACTERS
from governance.catalog.terms import SLUG
from governance.kernel.texts import is_line, is_prose
from governance.registry.entries import ModelChanged, ModelCreated, ModelDeleted
from governance.registry.errors import LicenceWidens, ModelInUse, ModelInvalid
from governance.registry.licence_terms import LicenceContent, permits_no_more
from governance.registry.models import Licence, Model
from governance.registry.states import MODELS
from governance.registry.tasks import TASKS

NAME_CHARACTERS = 200


class ModelDetails(TypedDict):
    """The details of a model that can be changed. `owner` is a slug."""

    name: str
    description: str
    task: str
    owner: str


def create_model(*, slug: str, licence: Licence, actor: Actor, **details: Unpack[ModelDetails]) -> Model:
    """Add a model under a licence, without any version. Raises ModelInvalid that names the field."""
    if not SLUG.fullmatch(slug):
        raise _invalid("slug", "A slug has 1 to 50 letters, digits, hyphens or underscores.")
    _check(details)
    with transaction.atomic():
        model = _inserted(slug, licence, details)
        after = MODELS.state(model)
        entry = ModelCreated(before=None, after=after, fields=filled_fields(after))
        record(entry, subject=MODELS.ref(model), actor=actor)
    return model


def change_model(*, model: Model, actor: Actor, seen: State | None = None, **details: Unpack[ModelDetails]) -> Model:
    """Change the details of a model; unchanged details are not recorded.

    `seen` is the state that the change was prepared from. Raises ModelInvalid that names the field, ChangedMeanwhile.
    """
    _check(details)
    with transaction.atomic():
        current, before = lock_unchanged(MODELS, model, seen=seen)
        current.name, current.description = details["name"], details["description"]
        current.task, current.owner = details["task"], details["owner"]
        current.save(update_fields=["name", "description", "task", "owner"])
        _record_change(current, before, actor)
    return current


def set_model_licence(*, model: Model, licence: Licence, actor: Actor, seen: State | None = None) -> Model:
    """Put a model under another licence, from the next decision on; the same licence is not recorded again.

    One person may do so, so the other licence must permit no more than the present one; `model_licences` has the way
    for others. `seen` is the state that the
    change was prepared from. Raises LicenceWidens, ChangedMeanwhile.
    """
    with transaction.atomic():
        current, before = lock_unchanged(MODELS, model, seen=seen)
        _refuse_widening(current.licence_id, licence)
        current.licence = licence
        current.save(update_fields=["licence"])
        _record_change(current, before, actor)
    return current


def delete_model(*, model: Model, actor: Actor) -> None:
    """Delete a model without versions or proposals. Raises ModelInUse, ChangedMeanwhile when it is gone already."""
    with transaction.atomic():
        current, before = lock_unchanged(MODELS, model, seen=None)
        if current.versions.exists() or current.licence_proposals.exists():
            raise ModelInUse(f"The model '{current.slug}' has versions or proposals, so it stays. Retire its versions.")
        subject = MODELS.ref(current)
        current.delete()
        record(ModelDeleted(before=before, after=None), subject=subject, actor=actor)


def _refuse_widening(present: UUID, wanted: Licence) -> None:
    """Hold both licences, so that neither changes beside the move. Raises LicenceWidens."""
    held = Licence.objects.select_for_update(no_key=True).filter(pk__in=[present, wanted.pk]).order_by("pk")
    terms = {licence.pk: LicenceContent.of(licence) for licence in held}
    if not permits_no_more(terms[present], terms[wanted.pk]):
        raise LicenceWidens(
            "The other licence permits more than the model's present one, which one person does not decide. "
            "Propose the move; somebody else approves it.",
            details={"field": "licence"},
        )


def _record_change(model: Model, before: State, actor: Actor) -> None:
    after = MODELS.state(model)
    if after != before:
        entry = ModelChanged(before=before, after=after, fields=changed_fields(before, after))
        record(entry, subject=MODELS.ref(model), actor=actor)


def _inserted(slug: str, licence: Licence, details: ModelDetails) -> Model:
    try:
        with transaction.atomic():
            return Model.objects.create(slug=slug, licence=licence, **details)
    except IntegrityError as error:
        raise _invalid("slug", "Another model has this slug.") from error


def _check(details: ModelDetails) -> None:
    if not is_line(details["name"], most=NAME_CHARACTERS):
        raise _invalid("name", f"A name has 1 to {NAME_CHARACTERS} printable characters.")
    if not is_prose(details["description"], most=DESCRIPTION_CHARACTERS):
        raise _invalid("description", f"A description has at most {DESCRIPTION_CHARACTERS} printable characters.")
    if details["task"] not in TASKS:
        raise _invalid("task", f"There is no task '{details['task']}'.")
    if not SLUG.fullmatch(details["owner"]):
        raise _invalid("owner", "An owner is a slug of 1 to 50 letters, digits, hyphens or underscores.")


def _invalid(field: str, message: str) -> ModelInvalid:
    return ModelInvalid(message, details={"field": field})
