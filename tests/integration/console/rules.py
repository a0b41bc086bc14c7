"""Rules for the console's tests."""

from governance.rulebook.rules import parse_rule
from governance.rulebook.schema import current_schema
from governance.rulebook.types import RuleSpec

CONDITION = {"attr": "subject.region", "op": "in", "value": ["RU", "BY"]}


def spec(rule_id: str = "embargo", **changes) -> RuleSpec:
    data = {
        "id": rule_id,
        "effect": "deny",
        "actions": ["asset.infer"],
        "condition": CONDITION,
        "reason_code": "region_blocked",
        "message": "Not available in {subject.region}.",
        "obligations": [],
    }
    return parse_rule(data | changes, current_schema())
