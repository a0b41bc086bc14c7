"""Rules, facts and schemas for tests of the rulebook."""

from dataclasses import replace
from typing import Any

import factory

from governance.engines.types import Effect
from governance.kernel.vocabulary import Action
from governance.rulebook.attributes import Attribute, AttributeSchema, AttributeType
from governance.rulebook.cases import BASE, facts_from
from governance.rulebook.models import AbacRule
from governance.rulebook.schema import OPERATORS, current_schema
from governance.rulebook.types import Compare, Operator, RuleSpec
from governance.rulebook.yaml_files import POLICIES, read_yaml

REGION_IS_DE = Compare("subject.region", Operator.EQ, "DE")

BLOCK_REGION = RuleSpec(
    id="block-region",
    effect=Effect.DENY,
    actions=("asset.infer", "model.invoke"),
    condition=Compare("subject.region", Operator.IN, ("DE", "FR")),
    reason_code="region_blocked",
    message="Nothing is done for partners in {subject.region}.",
)


def rule(**changes: Any) -> RuleSpec:
    """Return a rule that denies inference for German and French partners, with some fields changed."""
    return replace(BLOCK_REGION, **changes)


def permitted_facts(action: str, **changes: Any) -> dict[str, Any]:
    """Return complete facts that the system rules permit; change some by path, with `__` for the dots."""
    base = read_yaml(POLICIES / "cases" / BASE)
    dotted = {path.replace("__", "."): value for path, value in changes.items()}
    return facts_from(base, action=action, changes=dotted, schema=current_schema())


def attribute(path: str, kind: AttributeType, *, nullable: bool = False, values: tuple[str, ...] = ()) -> Attribute:
    """Return an attribute that every action has."""
    return Attribute(
        path=path,
        type=kind,
        group="Test",
        label=f"the {path}",
        help="For a test.",
        actions=frozenset(action.value for action in Action),
        operators=(*OPERATORS[kind], Operator.EXISTS) if nullable else OPERATORS[kind],
        values=values,
        nullable=nullable,
        when_true=f"{path} holds",
        when_false=f"{path} does not hold",
    )


def every_kind() -> AttributeSchema:
    """Return a schema with two attributes of each type, one of them nullable."""
    attributes = [attribute("action", AttributeType.ENUM, values=tuple(action.value for action in Action))]
    for kind in AttributeType:
        values = ("red", "green", "blue") if kind is AttributeType.ENUM else ()
        attributes += [
            attribute(f"sure.{kind}", kind, values=values),
            attribute(f"sure.{kind}_too", kind, values=values),
            attribute(f"maybe.{kind}", kind, values=values, nullable=True),
        ]
    return AttributeSchema(attributes)


class AbacRuleFactory(factory.django.DjangoModelFactory[AbacRule]):
    """An enabled rule that denies inference for German and French partners."""

    class Meta:
        model = AbacRule

    slug = factory.Sequence(lambda number: f"block-region-{number}")
    effect = "deny"
    actions = factory.LazyFunction(lambda: ["asset.infer", "model.invoke"])
    condition = factory.LazyFunction(lambda: {"attr": "subject.region", "op": "in", "value": ["DE", "FR"]})
    reason_code = "region_blocked"
    message = "Nothing is done for partners in {subject.region}."
    created_by = "policy-author"
    updated_by = "policy-author"
