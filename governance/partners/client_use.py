"""When a client was last used, and forms that were sent already."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from governance.kernel import clock
from governance.partners.errors import FormUsed
from governance.partners.models import ApiClient, UsedFormKey

T = TypeVar("T")
#: The last use of a client is kept to the minute, so that it costs one write a minute and not one per request.
NOTED_EVERY = timedelta(minutes=1)


def note_use(client: ApiClient) -> None:
    """Remember that a client was used now, at most once a minute."""
    now = clock.now()
    if client.last_used_at is not None and client.last_used_at > now - NOTED_EVERY:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - NOTED_EVERY)
    ApiClient.objects.filter(stale, pk=client.pk).update(last_used_at=now)
    client.last_used_at = now


@transaction.atomic
def once(key: UUID | None, do: Callable[[], T]) -> T:
    """Do what a form asks for, and mark the form as sent. Raises FormUsed for one whose work was done before.

    So a second click, or a page that is loaded again, never does the same twice. None is a form without a key.
    """
    if key is not None:
        try:
            with transaction.atomic():
                UsedFormKey.objects.create(key=key)
        except IntegrityError as error:
            raise FormUsed("This form was sent already and did its work then. Nothing was done again.") from error
    return do()
