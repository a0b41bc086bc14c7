"""Engines that parity needs a server for: a real OPA, and PostgreSQL by way of the permitted-set queries' compiler."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, BooleanField, Case, Field, FloatField, Q, TextField, Value, When
from django.db.models.functions import Cast

from governance.engines.numbers import decided_number
from governance.engines.opa import OpaEngine
from governance.engines.results import MatchedRules, result_of_rules
from governance.engines.types import Effect, EngineRequest, EngineResult, PolicyProgram
from governance.rulebook.attributes import Attribute, AttributeSchema, AttributeType
from governance.rulebook.compile_q import Column, compile_condition
from governance.rulebook.conditions import parse_condition
from tests.factories import opa
from tests.factories.rulebook_laws import fact

_FIELDS: Mapping[AttributeType, "Field[Any, Any]"] = {
    AttributeType.BOOL: BooleanField(),
    AttributeType.INT: BigIntegerField(),
    AttributeType.NUMBER: FloatField(),
    AttributeType.STRING_LIST: ArrayField(TextField()),
}


class PushedOpa(OpaEngine):
    """An OPA server that is given every program just before it decides by it."""

    def __init__(self, url: str) -> None:
        super().__init__(url=url, timeout=120)
        self._url = url

    def evaluate(self, *, program: PolicyProgram, requests: Sequence[EngineRequest]) -> list[EngineResult]:
        opa.push(self._url, program)
        return super().evaluate(program=program, requests=requests)


class SqlEngine:
    """Decides by the `Q` that a rule's condition compiles to, with every fact as a column of one row."""

    name = "sql"

    def __init__(self, schema: AttributeSchema) -> None:
        self._schema = schema

    def check(self, *, program: PolicyProgram) -> None:
        """Take every program: compiled rules are all it ever sees."""

    def evaluate(self, *, program: PolicyProgram, requests: Sequence[EngineRequest]) -> list[EngineResult]:
        return [self._answer(program, request) for request in requests]

    def _answer(self, program: PolicyProgram, request: EngineRequest) -> EngineResult:
        columns = {each.path: _column(each, request.facts) for each in self._schema.attributes_for(request.action)}
        lines = program.casbin[request.action].lines.values()
        holds = {
            f"r{number}": compile_condition(parse_condition(json.loads(line[2])), facts={}, columns=columns).q
            for number, line in enumerate(lines)
        }
        row = ContentType.objects.annotate(**{name: _truth(q) for name, q in holds.items()}).values(*holds).first()
        matched = {line[1] for number, line in enumerate(lines) if (row or {})[f"r{number}"]}
        return result_of_rules(matched=_by_effect(matched, program), program=program, request=request)


def _by_effect(matched: set[str], program: PolicyProgram) -> MatchedRules:
    chosen = {effect: tuple(sorted(i for i in matched if program.rules[i].effect is effect)) for effect in Effect}
    return MatchedRules(permits=chosen[Effect.PERMIT], denies=chosen[Effect.DENY])


def _truth(q: Q | bool) -> Case:
    condition = q if isinstance(q, Q) else Q(Value(q, output_field=BooleanField()))
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())


def _column(attribute: Attribute, facts: Mapping[str, Any]) -> Column:
    field = _FIELDS.get(attribute.type, TextField())
    value = fact(facts, attribute.path)
    value = decided_number(value) if isinstance(value, float) else value
    return Column(Cast(Value(value, output_field=field), field), nullable=attribute.nullable)
