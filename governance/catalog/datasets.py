"""Use cases about datasets. A dataset is deleted only while it has no works."""

from django.db import IntegrityError, connection, transaction

from governance.audit.recording.locking import lock_unchanged
from governance.audit.recording.record import record
from governance.audit.recording.states import State, changed_fields, filled_fields
from governance.audit.types import Actor
from governance.catalog.entries import DatasetChanged, DatasetCreated, DatasetDeleted
from governance.catalog.errors import DatasetInvalid, DatasetNotEmpty
from governance.catalog.models import Dataset
from governance.catalog.states import DATASETS, DESCRIPTION_CHARACTERS
from governance.catalog.terms import SLUG
from governance.kernel.texts import is_line, is_prose

NAME_CHARACTERS = 200


def create_dataset(*, slug: str, name: str, description: str, actor: Actor) -> Dataset:
    """Create an empty dataset. Raises DatasetInvalid that names the field."""
    if not SLUG.fullmatch(slug):
        raise _invalid("slug", "A slug has 1 to 50 letters, digits, hyphens or underscores.")
    _check(name, description)
    with transaction.atomic():
        dataset = _inserted(slug, name, description)
        after = DATASETS.state(dataset)
        entry = DatasetCreated(before=None, after=after, fields=filled_fields(after))
        record(entry, subject=DATASETS.ref(dataset), actor=actor)
    return dataset


def change_dataset(
    *, dataset: Dataset, name: str, description: str, actor: Actor, seen: State | None = None
) -> Dataset:
    """Change the name or description of a dataset; unchanged values are not recorded.

    `seen` is the state that the change was prepared from. Raises DatasetInvalid that names the field, ChangedMeanwhile.
    """
    _check(name, description)
    with transaction.atomic():
        current, before = lock_unchanged(DATASETS, dataset, seen=seen)
        current.name, current.description = name, description
        after = DATASETS.state(current)
        if after != before:
            current.save(update_fields=["name", "description"])
            entry = DatasetChanged(before=before, after=after, fields=changed_fields(before, after))
            record(entry, subject=DATASETS.ref(current), actor=actor)
    return current


def delete_dataset(*, dataset: Dataset, actor: Actor) -> None:
    """Delete a dataset without works. Raises DatasetNotEmpty, ChangedMeanwhile when it is gone already."""
    with transaction.atomic():
        # FOR UPDATE, so that no work is added meanwhile (`hold_dataset`); the lock for a change is weaker.
        Dataset.objects.select_for_update().filter(pk=dataset.pk).first()
        current, before = lock_unchanged(DATASETS, dataset, seen=None)
        if current.assets.exists():
            raise DatasetNotEmpty("A dataset that has works cannot be deleted. Move its works to another one first.")
        subject = DATASETS.ref(current)
        current.delete()
        record(DatasetDeleted(before=before, after=None), subject=subject, actor=actor)


def hold_dataset(dataset: Dataset) -> None:
    """Keep a dataset from being deleted in the rest of the transaction. Raises DatasetInvalid when it is gone.

    Many transactions may hold one at a time: it is the FOR KEY SHARE lock of PostgreSQL's foreign keys, which Django
    cannot express. The foreign keys themselves are only checked at commit, too late for a message.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM catalog_dataset WHERE id = %s FOR KEY SHARE", [dataset.pk])
        if cursor.fetchone() is None:
            raise _invalid("dataset", "There is no such dataset any more.")


def _inserted(slug: str, name: str, description: str) -> Dataset:
    try:
        with transaction.atomic():
            return Dataset.objects.create(slug=slug, name=name, description=description)
    except IntegrityError as error:
        raise _invalid("slug", "Another dataset has this slug.") from error


def _check(name: str, description: str) -> None:
    if not is_line(name, most=NAME_CHARACTERS):
        raise _invalid("name", f"A name has 1 to {NAME_CHARACTERS} printable characters.")
    if not is_prose(description, most=DESCRIPTION_CHARACTERS):
        raise _invalid("description", f"A description has at most {DESCRIPTION_CHARACTERS} printable characters.")


def _invalid(field: str, message: str) -> DatasetInvalid:
    return DatasetInvalid(message, details={"field": field})
