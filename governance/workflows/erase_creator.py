"""Erasing a creator's personal data while every proof stays valid."""

from dataclasses import asdict

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import TextField
from django.db.models.functions import Cast

from governance.audit.evidence.receipts import record_with_receipt
from governance.audit.types import Actor
from governance.catalog.entries import CreatorErased
from governance.catalog.models import ERASED_NAME, ERASED_TITLE, Asset, ConsentGrant, Creator
from governance.catalog.personal_data import Erasure, erase_personal_data
from governance.catalog.receipts import erasure_statement
from governance.catalog.states import CREATORS
from governance.workflows.consent import withdraw_consent


def erase_creator(*, creator: Creator, method: str, actor: Actor) -> Erasure:
    """Delete a creator's personal data for good, in one transaction, and return what was removed.

    All consent is withdrawn first, which raises the consent epoch and stops open jobs on the works. Then values, titles
    and salts are removed, and names from the console's own history. Slug, region, consent statements, works and
    everything in the ledger and WORM storage stay: none of it holds a personal value. `method` is one of GrantMethod.
    Raises CreatorErased for a creator erased before, ConsentInvalid for an unknown method.
    """
    with transaction.atomic():
        current = Creator.objects.select_for_update().get(pk=creator.pk)
        if current.erased_at is None:
            withdraw_consent(creator=current, asset=None, everything=True, method=method, actor=actor)
        before = CREATORS.state(current)
        erasure = erase_personal_data(creator=current, actor=actor)
        current = CREATORS.rows().get(pk=creator.pk)
        _erase_from_console_history(current)
        after = CREATORS.state(current)
        entry = CreatorErased(before=before, after=after, **asdict(erasure), epoch=current.consent_epoch)
        statement = erasure_statement(current, entry.to_own_data())
        record_with_receipt(entry, subject=CREATORS.ref(current), actor=actor, **statement)
    return erasure


def _erase_from_console_history(creator: Creator) -> None:
    """Replace names in the console's own edit history, which keeps them as text."""
    works = Asset.objects.filter(creator=creator).annotate(key=Cast("id", TextField())).values("key")
    grants = ConsentGrant.objects.filter(creator=creator).annotate(key=Cast("id", TextField())).values("key")
    edits = LogEntry.objects.all()
    edits.filter(content_type=_type(Creator), object_id=str(creator.pk)).update(object_repr=ERASED_NAME)
    edits.filter(content_type=_type(Asset), object_id__in=works).update(object_repr=ERASED_TITLE)
    edits.filter(content_type=_type(ConsentGrant), object_id__in=grants).update(object_repr=ERASED_NAME)


def _type(model: type[Creator] | type[Asset] | type[ConsentGrant]) -> ContentType:
    return ContentType.objects.get_for_model(model)
