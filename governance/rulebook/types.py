"""A rule, as data."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NotRequired, TypeAlias, TypedDict

from governance.engines.types import Effect, Obligation
from governance.kernel.canonical import Json


class Operator(StrEnum):
    """How a fact is compared. With a null on either side every comparison is false; only `exists` sees null."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    BETWEEN = "between"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    INTERSECTS = "intersects"
    STARTS_WITH = "starts_with"
    EXISTS = "exists"


Scalar: TypeAlias = str | int | float | bool
Value: TypeAlias = Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """A fact compared with a value or with another fact (`other`); with neither for `exists`."""

    attr: str
    op: Operator
    value: Value | None = None
    other: str | None = None

    @property
    def values(self) -> tuple[Scalar, ...]:
        """The values compared with: several, one, or none where another fact is."""
        if isinstance(self.value, tuple):
            return self.value
        return () if self.value is None else (self.value,)


@dataclass(frozen=True, slots=True)
class All:
    """Holds when every item holds."""

    items: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Any_:  # noqa: N801 - the plain name would hide the one in typing
    """Holds when at least one item holds."""

    items: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """Holds when the item does not: plain negation, nulls included."""

    item: "Condition"


Condition: TypeAlias = All | Any_ | Not | Compare


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """One rule. `message` may quote facts as `{attribute.path}`; only a permit carries obligations."""

    id: str
    effect: Effect
    actions: tuple[str, ...]
    condition: Condition
    reason_code: str
    message: str
    obligations: tuple[Obligation, ...] = ()


class ObligationJson(TypedDict):
    """The JSON form of an obligation."""

    kind: str
    parameters: dict[str, Json]


class RuleMetaJson(TypedDict):
    """The JSON form of what a rule means, as a revision holds it for a rule of a hand-written module."""

    id: str
    effect: str
    reason_code: str
    message: str
    obligations: list[ObligationJson]


class RuleJson(RuleMetaJson):
    """The JSON form of a rule; in a revision with its `origin`: `system` (from git) or `abac` (from the console)."""

    origin: NotRequired[str]
    actions: list[str]
    condition: dict[str, Json]


class CustomModuleJson(TypedDict):
    """The JSON form in which a revision holds a hand-written module."""

    name: str
    action: str
    source: str
    rules: list[RuleMetaJson]


class ContentJson(TypedDict):
    """The JSON form of a revision's content; `modules` are the Rego sources by action."""

    format: int
    schema: str
    rules: list[RuleJson]
    modules: dict[str, str]
    custom: NotRequired[list[CustomModuleJson]]
