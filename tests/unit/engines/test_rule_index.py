"""Finding the rules that can concern a request."""

from typing import Any

import pytest

from governance.engines.rego_input import FactMissing
from governance.engines.rule_index import AttributeIndex, RuleIndex

CREATOR = AttributeIndex(("asset", "creator"), {"ada": ("r2", "r1"), "bob": ("r3",)}, {}, identifying=True)
TAGS = AttributeIndex(("asset", "tags"), {"x": ("t1",), "y": ("t1", "t2")}, {}, identifying=True)
STATE = AttributeIndex(("state",), {"on": ("s1",)}, {"on": ("s2",), "off": ("s3",)}, identifying=False)


def groups(index: RuleIndex, creator: Any = "eve", tags: Any = (), state: Any = "on") -> tuple[tuple[str, ...], ...]:
    return index.groups({"asset": {"creator": creator, "tags": list(tags)}, "state": state})


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ({}, (("a", "s1", "s3"),)),
        ({"state": "off"}, (("a", "s2"),)),
        ({"state": "other"}, (("a", "s2", "s3"),)),
        ({"state": None}, (("a",),)),
        ({"creator": "ada"}, (("a", "s1", "s3"), ("r1", "r2"))),
        ({"creator": "bob", "tags": ["y", "z", "x"]}, (("a", "s1", "s3"), ("r3",), ("t1", "t2"))),
        ({"creator": None, "tags": None, "state": None}, (("a",),)),
    ],
)
def test_candidates_come_in_groups_that_recur(facts: dict[str, Any], found: tuple[tuple[str, ...], ...]) -> None:
    facts["tags"] = facts.get("tags") or ()

    assert groups(RuleIndex(("a",), (CREATOR, TAGS, STATE)), **facts) == found


def test_without_candidates_there_is_no_group() -> None:
    assert groups(RuleIndex((), (CREATOR, TAGS))) == ()


@pytest.mark.parametrize("facts", [{}, {"asset": None}, {"asset": {}}])
def test_a_missing_fact_is_named(facts: dict[str, Any]) -> None:
    with pytest.raises(FactMissing, match=r"asset\.creator"):
        RuleIndex((), (CREATOR,)).groups(facts)
