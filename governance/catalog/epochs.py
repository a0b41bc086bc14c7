"""Consent epochs: a number for each creator that rises with every change of what the creator permits."""

from governance.catalog import terms
from governance.catalog.models import Creator


def begin_epoch(creator: Creator) -> int:
    """Lock the creator for the rest of the transaction and return the new epoch, also set on `creator`.

    Raises ConsentInvalid for a creator whose data was erased.
    """
    current = Creator.objects.select_for_update(no_key=True).get(pk=creator.pk)
    if current.erased_at is not None:
        raise terms.invalid("creator", "The creator's data was erased; nothing more is recorded for them.")
    current.consent_epoch += 1
    current.save(update_fields=["consent_epoch"])
    creator.consent_epoch = current.consent_epoch
    return current.consent_epoch
