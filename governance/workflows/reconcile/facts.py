"""What decisions rested on: their facts against the digest that the log holds."""

from collections.abc import Iterator

from governance.audit.tally import Tally
from governance.audit.types import Fault
from governance.decisions.models import DecisionRecord
from governance.kernel.canonical import digest

_CHUNK = 1000
_REMEDY = "The log counts, not the row. Restore the row from a backup, and find out who wrote to it."


def facts_faults(tally: Tally) -> Iterator[Fault]:
    """Hash the facts of every decision again: they are too large for the log, which holds their digest."""
    rows = DecisionRecord.objects.order_by("id").values_list("id", "evaluations", "facts_digest")
    for key, evaluations, promised in tally.counted("facts", rows.iterator(chunk_size=_CHUNK), total=rows.count()):
        if _digest(evaluations) != promised:
            message = "Its facts do not have the digest that was recorded: evaluations differs."
            yield Fault(f"decision {key}", "decision_facts", message, _REMEDY)


def _digest(evaluations: object) -> str:
    """Return the digest of the facts, nothing for what is no list of evaluations."""
    try:
        return digest([each["facts"] for each in evaluations])  # type: ignore[attr-defined]
    except (LookupError, TypeError):
        return ""
