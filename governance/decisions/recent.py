"""Counts the recent decisions that a rule being written would have matched."""

from dataclasses import dataclass

from governance.decisions.models import DecisionRecord
from governance.rulebook.evaluation import holds
from governance.rulebook.types import RuleSpec

RECENT = 1000


@dataclass(frozen=True, slots=True)
class Matches:
    """Of the `about` latest decisions with an action of the rule, among `looked_at`, the rule matches `matching`."""

    matching: int
    about: int
    looked_at: int


def count_matches(spec: RuleSpec, *, limit: int = RECENT) -> Matches:
    """Return how many of the latest decisions the rule would have matched, whatever their effect."""
    recent = DecisionRecord.objects.order_by("-id").values_list("evaluations", flat=True)[:limit]
    looked_at = about = matching = 0
    for evaluations in recent:
        looked_at += 1
        facts = [each["facts"] for each in evaluations if each["action"] in spec.actions]
        about += bool(facts)
        matching += any(_holds(spec, each) for each in facts)
    return Matches(matching, about, looked_at)


def _holds(spec: RuleSpec, facts: dict[str, object]) -> bool:
    """A decision without the attribute that a rule tests cannot match it."""
    try:
        return holds(spec.condition, facts)
    except KeyError:
        return False
