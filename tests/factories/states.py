"""Puts on record what factories made without a service."""

from django.db import transaction

from governance.audit.recording.record import record
from governance.audit.recording.state_checks import newest_states
from governance.audit.recording.states import recorded_objects, state_kinds
from governance.audit.types import UPGRADE
from tests.factories.audit import LooseEntry


@transaction.atomic
def put_on_record() -> None:
    """Record the state of each row that has no entry yet, as the migrations of an upgrade do."""
    for subject, described in recorded_objects().items():
        rows = {described.key(row): row for row in described.rows()}
        known = {key for key, entry in newest_states(subject, list(rows)).items() if entry.holds_state}
        for key in rows.keys() - known:
            data = {"before": None, "after": described.state(rows[key])}
            adopted = LooseEntry(state_kinds(subject)[0], data, subject=subject)
            record(adopted, subject=described.ref(rows[key]), actor=UPGRADE)
