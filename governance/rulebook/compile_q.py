"""Compiles conditions to Django `Q` objects, so that one query finds every row that the rules permit.

Attributes are either known when the query is made, and then compared at once, or columns of the rows. Negation is
pushed down to the comparisons. Only there, SQL's third truth value is turned into the rulebook's two: a comparison with
a null is false, and its negation is true.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, BooleanField, Field, FloatField, Func, Q, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from django.db.models.lookups import IsNull

from governance.rulebook.evaluation import compare, fact_at
from governance.rulebook.types import All, Any_, Compare, Condition, Not, Operator

_SIGNS = {
    Operator.EQ: " = ",
    Operator.NE: " <> ",
    Operator.LT: " < ",
    Operator.LTE: " <= ",
    Operator.GT: " > ",
    Operator.GTE: " >= ",
}
_TEXTS: "Field[object, object]" = ArrayField(TextField())
_NUMBERS: "Field[object, object]" = ArrayField(FloatField())


class NotInQuery(Exception):
    """A condition tests an attribute that is neither known nor a column; `path` names it."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


@dataclass(frozen=True, slots=True)
class Known:
    """An attribute that is the same for every row."""

    value: object


@dataclass(frozen=True, slots=True)
class Column:
    """An attribute that differs from row to row. `has`, if given, is a faster way to find a known text in a list."""

    expression: Combinable
    nullable: bool = False
    has: Callable[[str], Q] | None = None


Operand = Known | Column


@dataclass(frozen=True, slots=True)
class Compiled:
    """A condition as a `Q`, or as its value where it depends on no row; and the columns that it tests."""

    q: Q | bool
    columns: frozenset[str] = frozenset()


def compile_condition(
    condition: Condition, *, facts: Mapping[str, object], columns: Mapping[str, Column], negated: bool = False
) -> Compiled:
    """Return the `Q` of a checked condition, or of its negation.

    `columns` go before `facts` (nested by dotted path). Raises NotInQuery for a path in neither, unless the answer
    does not depend on it.
    """
    match condition:
        case All(items) | Any_(items):
            parts = [attempt(item, facts=facts, columns=columns, negated=negated) for item in items]
            return every(parts) if isinstance(condition, All) is not negated else some(parts)
        case Not(item):
            return compile_condition(item, facts=facts, columns=columns, negated=not negated)
        case Compare():
            return _comparison(condition, facts, columns, negated)


def attempt(
    condition: Condition, *, facts: Mapping[str, object], columns: Mapping[str, Column], negated: bool = False
) -> Compiled | NotInQuery:
    """Return what `compile_condition` returns or raises, for `every` and `some`: they may not need it."""
    try:
        return compile_condition(condition, facts=facts, columns=columns, negated=negated)
    except NotInQuery as unknown:
        return unknown


def every(parts: Iterable[Compiled | NotInQuery]) -> Compiled:
    """Return what holds when every part holds. Raises NotInQuery when it depends on a part that could not be made."""
    return _joined(parts, decisive=False)


def some(parts: Iterable[Compiled | NotInQuery]) -> Compiled:
    """Return what holds when at least one part holds. Raises NotInQuery like `every`."""
    return _joined(parts, decisive=True)


def _joined(parts: Iterable[Compiled | NotInQuery], *, decisive: bool) -> Compiled:
    kept: list[Q] = []
    columns: frozenset[str] = frozenset()
    unknown: NotInQuery | None = None
    for part in parts:
        if isinstance(part, NotInQuery):
            unknown = part
        elif part.q is decisive:
            return Compiled(decisive)
        elif isinstance(part.q, Q):
            kept.append(part.q)
            columns |= part.columns
    if unknown is not None:
        raise unknown
    if not kept:
        return Compiled(not decisive)
    return Compiled(reduce(or_ if decisive else and_, dict.fromkeys(kept)), columns)


def _comparison(asked: Compare, facts: Mapping[str, object], columns: Mapping[str, Column], negated: bool) -> Compiled:
    left = _operand(asked.attr, facts, columns)
    right = Known(asked.value) if asked.other is None else _operand(asked.other, facts, columns)
    if isinstance(left, Known) and isinstance(right, Known):
        return Compiled(compare(asked.op, left.value, right.value) is not negated)
    if asked.op is Operator.EXISTS:
        return _existence(asked.attr, left, negated)
    if Known(None) in (left, right):
        return Compiled(negated)
    predicate = _predicate(asked.op, left, right)
    if negated:
        predicate = ~predicate
        for side in (left, right):
            if isinstance(side, Column) and side.nullable:
                predicate |= Q(IsNull(side.expression, True))
    return Compiled(predicate, frozenset(path for path in (asked.attr, asked.other) if path in columns and path))


def _operand(path: str, facts: Mapping[str, object], columns: Mapping[str, Column]) -> Operand:
    if path in columns:
        return columns[path]
    try:
        return Known(fact_at(facts, path))
    except KeyError as absent:
        raise NotInQuery(path) from absent


def _existence(path: str, operand: Operand, negated: bool) -> Compiled:
    if isinstance(operand, Known) or not operand.nullable:
        return Compiled(not negated)
    return Compiled(Q(IsNull(operand.expression, negated)), frozenset([path]))


def _predicate(op: Operator, left: Operand, right: Operand) -> Q:
    """Return a comparison that is true, false or null in SQL; null only when a side is."""
    match op:
        case Operator.IN:
            return _is_in(left, right)
        case Operator.NOT_IN:
            # For SQL nothing is in an empty list, not even null: without this a null would be "not in" it.
            given = Q(IsNull(left.expression, False)) if isinstance(left, Column) and left.nullable else Q()
            return given & ~_is_in(left, right)
        case Operator.CONTAINS:
            return _is_in(right, left)
        case Operator.INTERSECTS:
            return _infix(Cast(_sql(left), _TEXTS), Cast(_sql(right), _TEXTS), " && ")
        case Operator.STARTS_WITH:
            return Q(Func(_sql(left), _sql(right), function="starts_with", output_field=BooleanField()))
        case Operator.BETWEEN:
            low, high = _bounds(right)
            return _infix(_sql(left), _sql(Known(low)), " >= ") & _infix(_sql(left), _sql(Known(high)), " <= ")
    return _infix(_sql(left), _sql(right), _SIGNS[op])


def _is_in(item: Operand, listed: Operand) -> Q:
    if (
        isinstance(listed, Column)
        and listed.has is not None
        and isinstance(item, Known)
        and isinstance(item.value, str)
    ):
        return listed.has(item.value)
    template = "(%(expressions)s))"
    return Q(Func(_sql(item), _sql(listed), arg_joiner=" = ANY(", template=template, output_field=BooleanField()))


def _bounds(operand: Operand) -> tuple[object, object]:
    """Return the two values of a `between`, which is never compared with a column."""
    if isinstance(operand, Known) and isinstance(operand.value, list | tuple) and len(operand.value) == 2:
        return operand.value[0], operand.value[1]
    return None, None


def _infix(left: Combinable, right: Combinable, sign: str) -> Q:
    return Q(Func(left, right, arg_joiner=sign, template="(%(expressions)s)", output_field=BooleanField()))


def _sql(operand: Operand) -> Combinable:
    if isinstance(operand, Column):
        return operand.expression
    value = operand.value
    return Value(list(value) if isinstance(value, tuple) else value, output_field=_field(value))


def _field(value: object) -> "Field[object, object]":
    match value:
        case bool():
            return BooleanField()
        case int():
            return BigIntegerField()
        case float():
            return FloatField()
        case list() | tuple():
            return _NUMBERS if value and not isinstance(value[0], str) else _TEXTS
    return TextField()
