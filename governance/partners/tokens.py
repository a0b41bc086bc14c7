"""Use cases about access tokens: issuing and revoking them."""

import hashlib
from datetime import timedelta

from django.db import transaction

from governance.audit.recording.locking import lock_unchanged
from governance.audit.recording.record import record
from governance.audit.types import Actor
from governance.kernel import clock
from governance.partners.client_use import note_use
from governance.partners.cut_off import lock_for_cut, share_partner
from governance.partners.entries import PARTNER, PartnerTokensRevoked, TokenIssued, TokenRevocation, token_ref
from governance.partners.errors import ClientIsDisabled
from governance.partners.models import AccessToken, ApiClient, Partner, UsedAssertion, UsedFormKey
from governance.partners.types import Coverage

CHECKSUM_PREFIX = 16
EXPIRED_KEPT = timedelta(days=30)
#: A page with a form is not open for longer than a session lasts.
FORMS_KEPT = timedelta(days=2)


def issue_token(*, client: ApiClient, coverage: Coverage, raw_token: str, seconds: int) -> AccessToken:
    """Store a token that lives for `seconds`; only its SHA-256 is kept.

    Shares the partner's row, so that every token is either seen by `revoke_partner_tokens` or dated after it.
    Raises ClientIsDisabled.
    """
    checksum = hashlib.sha256(raw_token.encode()).hexdigest()
    with transaction.atomic():
        share_partner(client.partner_id)
        if not ApiClient.objects.filter(pk=client.pk, disabled_at=None).exists():
            raise ClientIsDisabled("This client is disabled.")
        note_use(client)
        issued_at = clock.now()
        token = AccessToken.objects.create(
            application=client,
            token="",
            token_checksum=checksum,
            scope=" ".join(sorted(coverage.actions)),
            authorization_details=coverage.to_details(),
            created=issued_at,
            expires=issued_at + timedelta(seconds=seconds),
        )
        issued = TokenIssued(
            partner=client.partner.slug,
            client=client.client_id,
            checksum_prefix=checksum[:CHECKSUM_PREFIX],
            expires_in=seconds,
            authorization_details=token.authorization_details,
        )
        record(issued, subject=token_ref(token), actor=Actor("client", client.client_id))
    return token


def revoke_token(*, token: AccessToken, actor: Actor, reason: str) -> bool:
    """Revoke one token at once; return whether it was not revoked before. `reason` is a code.

    Jobs that it was used for end as cancelled, unless their release was decided before.
    """
    with transaction.atomic():
        if token.application is not None:
            lock_for_cut(token.application.partner_id)
        now = clock.now()
        changed = AccessToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now, updated=now)
        if changed:
            revoked = TokenRevocation(checksum_prefix=token.token_checksum[:CHECKSUM_PREFIX], reason=reason)
            record(revoked, subject=token_ref(token), actor=actor)
    return bool(changed)


def revoke_partner_tokens(*, partner: Partner, actor: Actor, reason: str) -> int:
    """Revoke every token of a partner at once, also those being issued now; return how many were live.

    Nothing caches tokens, so the next request with one of them is refused. Jobs that they were used for end as
    cancelled, unless their release was decided before. `reason` is a code.
    """
    with transaction.atomic():
        locked, before = lock_unchanged(PARTNER, partner, seen=None)
        now = clock.now()
        locked.tokens_valid_after = now
        locked.save(update_fields=["tokens_valid_after"])
        open_tokens = AccessToken.objects.filter(application__partner=locked, revoked_at=None)
        live = open_tokens.filter(expires__gt=now).count()
        open_tokens.update(revoked_at=now, updated=now)
        revoked = PartnerTokensRevoked(before=before, after=PARTNER.state(locked), live_tokens=live, reason=reason)
        record(revoked, subject=PARTNER.ref(locked), actor=actor)
    partner.tokens_valid_after = now
    return live


def clear_expired_tokens() -> int:
    """Delete tokens that expired more than 30 days ago and return how many; the ledger still has their entries.

    With them go marks of assertions that could no longer be taken, and of forms that were sent days ago.
    """
    now = clock.now()
    UsedAssertion.objects.filter(expires_at__lt=now).delete()
    UsedFormKey.objects.filter(used_at__lt=now - FORMS_KEPT).delete()
    deleted, _ = AccessToken.objects.filter(expires__lt=clock.now() - EXPIRED_KEPT).delete()
    return deleted
