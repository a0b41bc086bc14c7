"""The state of an object at a moment, as a file with its proof."""

from governance.audit.evidence.receipts import entry_proof
from governance.audit.recording.asof import AsOf, StateChange
from governance.kernel import strict_base64
from governance.kernel.canonical import Json, timestamp

FORMAT = "assent-state/1"


def state_document(found: AsOf) -> dict[str, Json]:
    """Return the answer as JSON: the question, the state, the bytes of the entry that holds it, and its proof.

    `proof` is a proof file (c2sp.org/tlog-proof@v1) of these bytes against the newest checkpoint; None while the entry
    is not ordered or not under a checkpoint. Raises LogIncomplete.
    """
    return {
        "format": FORMAT,
        "type": found.subject.type,
        "id": found.subject.id,
        "name": found.name,
        "at": timestamp(found.at),
        "presence": str(found.presence),
        "state": found.state,
        "entry": None if found.entry is None else strict_base64.encode(found.entry.body),
        "index": None if found.entry is None else found.entry.index,
        "proof": None if found.entry is None else change_proof(found.entry),
    }


def change_proof(change: StateChange) -> str | None:
    """Return the proof file of a change's entry, None while the entry has none yet. Raises LogIncomplete."""
    return None if change.index is None else entry_proof(change.index)
