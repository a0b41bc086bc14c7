"""Whether what was accepted with a token may still go on: revoking and suspending reach back to it.

Whoever runs or releases something shares the partner's row until its transaction ends; whoever revokes a token or
suspends a partner locks that row. So the release either commits before the cut, or sees it.
"""

from uuid import UUID

from django.db import connection

from governance.kernel.reason_codes import ReasonCode
from governance.partners.choices import PartnerStatus
from governance.partners.models import AccessToken, Partner
from governance.partners.types import TokenUse

_SHARE = "SELECT status, tokens_valid_after FROM partners_partner WHERE id = %s FOR SHARE"


def cut_off(use: TokenUse) -> ReasonCode | None:
    """Return why what a token was used for must not go on; None if it may. A token that only expired still counts.

    The partner's row is shared until the transaction ends. A token that is not known any more counts as revoked, and so
    does one that was issued up to the moment when all tokens of the partner were revoked, however late it was used.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SHARE, [use.partner])
        [(status, cut)] = cursor.fetchall()
    if (cut is not None and use.issued_at <= cut) or _is_revoked(use.token):
        return ReasonCode.TOKEN_REVOKED
    return None if status == PartnerStatus.ACTIVE else ReasonCode.PARTNER_SUSPENDED


def lock_for_cut(partner_id: UUID) -> Partner:
    """Lock a partner's row, so that what was accepted with its tokens waits for the cut, and return it."""
    return Partner.objects.select_for_update(no_key=True).get(pk=partner_id)


def share_partner(partner_id: UUID) -> None:
    """Share a partner's row until the transaction ends: no cut comes in between."""
    with connection.cursor() as cursor:
        cursor.execute(_SHARE, [partner_id])


def _is_revoked(token: int | None) -> bool:
    if token is None:  # from before version 0.3, which did not keep it
        return False
    return not AccessToken.objects.filter(pk=token, revoked_at=None).exists()
