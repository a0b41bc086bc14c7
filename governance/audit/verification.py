"""Verification of everything recorded. All of it is recomputed from the stored bytes; nothing is trusted."""

from governance.audit.evidence.evidence_checks import evidence_faults, removed_faults
from governance.audit.evidence.receipt_checks import receipt_faults
from governance.audit.keeping.worm_checks import other_object_faults
from governance.audit.log.ledger_checks import ledger_faults, outbox_faults
from governance.audit.log.tile_checks import tile_faults
from governance.audit.ports import worm_store
from governance.audit.tally import Progress, Tally
from governance.audit.types import SubjectRef, VerificationReport
from governance.keys.ring import key_ring


def verify_all(*, subject: SubjectRef | None = None, on_progress: Progress | None = None) -> VerificationReport:
    """Verify the whole ledger and everything in WORM storage, or the evidence of `subject` only; return the report.

    The whole ledger is always checked, because its tree proves all entries or none. Rows are streamed; new rows are
    left for the next run. This cannot detect that the newest entries were removed together with their tree heads and
    evidence.

    Raises Unavailable when the key ring or the WORM store cannot be used, and whatever the database raises.
    """
    ring, store, tally = key_ring.get(), worm_store.get(), Tally(on_progress)
    ring.public_keys()
    faults = (
        *ledger_faults(tally),
        *tile_faults(tally),
        *outbox_faults(tally),
        *evidence_faults(tally, key_ring=ring, store=store, subject=subject),
        *removed_faults(tally, subject=subject),
        *receipt_faults(tally, key_ring=ring, subject=subject),
        *(other_object_faults(tally, store=store) if subject is None else ()),
    )
    return VerificationReport(checked=dict(tally.checked), faults=faults)
