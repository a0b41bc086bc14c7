"""Collecting the witnesses' cosignatures of the newest checkpoint."""

from collections.abc import Sequence

from django.conf import settings
from django.db import transaction

from governance.audit.guards.advisory_locks import AdvisoryLock, try_lock
from governance.audit.log.log_reader import consistency_proof
from governance.audit.log.witnesses import configured_witnesses, cosign_all
from governance.audit.models import Checkpoint, Cosignature


def collect_cosignatures(checkpoint: Checkpoint) -> int:
    """Ask every witness that has not cosigned `checkpoint` yet and store the cosignatures; return their number.

    A witness that is down is asked again at the next call. Only one process asks at a time; the others return 0.
    """
    with transaction.atomic():
        signed = set(checkpoint.cosignatures.values_list("witness", flat=True))
        witnesses = configured_witnesses()
        missing = [witness for witness in witnesses if witness.name not in signed]
        if not missing or not try_lock(AdvisoryLock.COSIGNING):
            return 0
        received = cosign_all(
            checkpoint_note=checkpoint.note,
            old_size_of=lambda witness: last_cosigned(checkpoint.origin, witness.name) or 0,
            proof_of=lambda size: _proof(size, checkpoint.size),
            witnesses=missing,
            timeout=settings.ASSENT_WITNESS_TIMEOUT_MS / 1000,
            enough=max(0, settings.ASSENT_WITNESS_QUORUM - len(witnesses) + len(missing)),
        )
        rows = [
            Cosignature(checkpoint=checkpoint, witness=each.witness, line=each.line, witnessed_at=each.witnessed_at)
            for each in received
        ]
        return len(Cosignature.objects.bulk_create(rows, ignore_conflicts=True))


def last_cosigned(origin: str, witness: str) -> int | None:
    """Return the size of the checkpoint that a witness, by name, cosigned last; None if it never did.

    Uses the order of the cosignatures, which is indexed: it matches that of the checkpoints, since a witness never
    cosigns an older one.
    """
    seen = Cosignature.objects.filter(checkpoint__origin=origin, witness=witness).order_by("-id")
    return seen.values_list("checkpoint__size", flat=True).first()


def _proof(first: int, second: int) -> Sequence[bytes]:
    return consistency_proof(first=first, second=second)
