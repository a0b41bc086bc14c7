"""Errors of the audit area."""

from governance.audit.types import Meanwhile
from governance.kernel.canonical import to_json_value
from governance.kernel.errors import Conflict, Forbidden, IntegrityFault, InvalidInput, NotFound, Unavailable


class EntryInvalid(InvalidInput):
    """A ledger entry cannot be recorded as it is: its kind, names, data or size."""

    code = "ledger_entry_invalid"


class OutsideTransaction(IntegrityFault):
    """An entry was to be recorded outside the transaction that makes the change."""

    code = "ledger_outside_transaction"


class ChangedMeanwhile(Conflict):
    """The object was changed or deleted after it was read for this change; look at it and decide again.

    `details`: `changes` (by field what it was and is now), `deleted`, `changed_by` and `changed_at`.
    """

    code = "changed_meanwhile"
    title = "It was changed meanwhile"

    def __init__(self, noun: str, meanwhile: Meanwhile) -> None:
        deleted = meanwhile.now is None
        super().__init__(
            f"The {noun} was {'deleted' if deleted else 'changed'} meanwhile.",
            details={
                "changes": {change.name: {"was": change.was, "now": change.now} for change in meanwhile.changes},
                "deleted": deleted,
                "changed_by": str(meanwhile.actor) if meanwhile.actor else None,
                "changed_at": to_json_value(meanwhile.at),
            },
        )
        self.meanwhile = meanwhile


class EvidenceExists(Conflict):
    """The subject already has evidence of another outcome."""

    code = "evidence_exists"


class EvidenceMissing(NotFound):
    """There is no such evidence record."""

    code = "evidence_missing"


class EvidenceAltered(IntegrityFault):
    """An evidence record differs from what was signed. Codes: evidence_digest, evidence_signature, evidence_row."""

    code = "evidence_altered"


class KeyHistoryAltered(IntegrityFault):
    """The log's entries about a signing key were altered."""

    code = "key_history_altered"


class WormKeyInvalid(InvalidInput):
    """A WORM key or URI is malformed."""

    code = "worm_key_invalid"


class WormRetentionInvalid(InvalidInput):
    """A retention date is not in the future, or earlier than the one that was promised."""

    code = "worm_retention_invalid"


class WormOverwriteRefused(Conflict):
    """Other bytes are permanently stored under this key."""

    code = "worm_overwrite_refused"


class RetentionActive(Forbidden):
    """The object may not be deleted yet."""

    code = "worm_retention_active"


class HoldActive(RetentionActive):
    """The object is under legal hold and may not be deleted, whatever its retention says."""

    code = "worm_hold_active"


class HoldConflict(Conflict):
    """The state of a legal hold, or the person who asks, does not allow the request."""

    code = "worm_hold_conflict"


class RetentionClassInvalid(InvalidInput):
    """The details of a retention class are not valid."""

    code = "retention_class_invalid"


class ScrubConflict(Conflict):
    """A scrub is under way already, or has ended."""

    code = "scrub_conflict"


class WormObjectMissing(NotFound):
    """The store does not have the object, or not all of it."""

    code = "worm_object_missing"


class WormObjectAltered(IntegrityFault):
    """A stored object or its metadata was altered."""

    code = "worm_object_altered"


class WormClockFault(Unavailable):
    """The clock is behind a time that the store has already seen, so retention cannot be judged."""

    code = "worm_clock_fault"


class WormUnavailable(Unavailable):
    """The store cannot be read or written."""

    code = "worm_unavailable"


class WormStoreRefused(Unavailable):
    """The store did not keep what it must, so nothing is written to it. `details["allowed"]` lists what it allowed."""

    code = "worm_store_refused"


class LogRangeInvalid(InvalidInput):
    """The log has no such index, or no tree of that size."""

    code = "log_range_invalid"


class LogIncomplete(IntegrityFault):
    """Hashes or entries of the log are missing from the database."""

    code = "log_incomplete"


class LogHalted(Unavailable):
    """The log has stopped, because the database does not match what was published."""

    code = "log_halted"
    title = "The transparency log has stopped"


class ReceiptAltered(IntegrityFault):
    """A receipt differs from what was signed. Codes: receipt_digest, receipt_signature, receipt_row."""

    code = "receipt_altered"


class ReceiptMissing(NotFound):
    """There is no ledger entry for a receipt."""

    code = "receipt_missing"
    title = "There is no such receipt"


class RoleRefused(Conflict):
    """A database role does not exist, or has rights that the application must not have."""

    code = "database_role_refused"


class LogDiverged(IntegrityFault):
    """The log in the database differs from the published one.

    Codes: log_behind_worm, log_forked, log_altered, log_origin_changed, checkpoint_altered, checkpoint_missing.
    """

    code = "log_diverged"


class SuccessionInvalid(InvalidInput):
    """The succession of a log is not possible like this."""

    code = "log_succession_invalid"


class MomentInvalid(InvalidInput):
    """This is neither a date nor a time with an offset (RFC 3339)."""

    code = "moment_invalid"
    title = "The moment is not valid"


class EntryAltered(IntegrityFault):
    """The columns of a ledger entry do not say what its bytes say."""

    code = "ledger_entry_altered"


class ObjectTypeUnknown(InvalidInput):
    """The ledger keeps no states of objects of this type. `details["types"]` lists those that it keeps."""

    code = "ledger_type_unknown"
    title = "There is no such type of object"


class ObjectUnknown(NotFound):
    """No ledger entry holds a state of this object."""

    code = "ledger_object_unknown"
    title = "The ledger has no state of this object"
