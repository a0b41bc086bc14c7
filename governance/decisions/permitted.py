"""Finds the rows that the active policy permits with one query: rules are compiled to SQL.

The result is the same as deciding about each row at the same moment. It is an answer to a question, not a permit:
whatever is done afterwards is decided again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import BooleanField, Case, Exists, F, OuterRef, Q, QuerySet, Value, When

from governance.catalog.choices import ConsentSource, ConsentState
from governance.catalog.models import Asset
from governance.catalog.queries import covers_pair, governing_statements, with_governing_consent
from governance.catalog.types import EffectiveConsent
from governance.decisions.errors import ModelNeeded, PermittedSetUnavailable
from governance.decisions.facts import common_facts, consent_facts, model_facts
from governance.decisions.ports import supported_obligations
from governance.decisions.types import AccessContext
from governance.engines.types import Effect
from governance.kernel.vocabulary import Action
from governance.registry.models import Model, ModelVersion
from governance.registry.queries import obligations_within, with_serving_version
from governance.rulebook.compile_q import Column, Compiled, NotInQuery, attempt, every, some
from governance.rulebook.queries import active_program
from governance.rulebook.rules_in_force import rules_of_revision
from governance.rulebook.schema import attributes_for, current_schema
from governance.rulebook.types import All, Compare, Condition, Operator, RuleSpec

_NO_STATEMENT = EffectiveConsent(ConsentState.NONE, ConsentSource.NONE, epoch=0)
_Columns = Mapping[str, Column]
_Facts = Mapping[str, object]


def permitted_assets(
    *, assets: QuerySet[Asset], action: Action, context: AccessContext, version: ModelVersion | None = None
) -> QuerySet[Asset]:
    """Return the assets with which `action` is permitted, as one query.

    `version` is the model to be used, for actions that take one. Raises ModelNeeded when the answer depends on the
    model and none is given, PermittedSetUnavailable, NoActiveRevision, RevisionCorrupt, PolicyFrozen.
    """
    parts = _parts(action)
    requested = f"{action}:{context.purpose}"
    facts = {**common_facts(context, action), "consent": {"request": requested}}
    if version is not None:
        facts |= model_facts(version, context.at)
    assets = with_governing_consent(assets, at=context.at)
    columns = {**_columns(action, "asset", F), **_columns(action, "consent", F)}
    tried = [part.tried(columns, facts) for part in parts]
    if _needed(tried).q is False:
        return assets.none()
    consent = set(_columns(action, "consent", F))
    open_parts = [(part, found) for part, found in zip(parts, tried, strict=True) if isinstance(found, Compiled)]
    permitted = every(found for _, found in open_parts if not found.columns & consent).q
    about_consent = [part for part, found in open_parts if found.columns & consent]
    if about_consent:
        permitted = _as_q(permitted) & _consented(about_consent, action, facts, context)
    return assets.filter(_as_q(permitted))


def permitted_models(*, models: QuerySet[Model], action: Action, context: AccessContext) -> QuerySet[Model]:
    """Return the models with whose version in production `action` is permitted, as one query.

    A model without a version in production is not among them. Raises like `permitted_assets`.
    """
    models = with_serving_version(models, at=context.at)
    tried = [part.tried(_columns(action, "model", F), common_facts(context, action)) for part in _parts(action)]
    permitted = _needed(tried).q
    if isinstance(permitted, bool):
        return models if permitted else models.none()
    return models.filter(permitted, obligations_within(supported_obligations.get()))


@dataclass(frozen=True, slots=True)
class _Part:
    """Conditions of which at least one must hold, or, if `barring`, none. `given` is what the permits make certain."""

    conditions: tuple[Condition, ...]
    barring: bool = False
    given: Mapping[str, object] = field(default_factory=dict)

    def tried(self, columns: _Columns, facts: _Facts) -> Compiled | NotInQuery:
        """Return the conditions as a `Q`, or the attribute that keeps them from being one."""
        left = {path: column for path, column in columns.items() if path not in self.given}
        known = _with(facts, self.given)
        each = [attempt(item, facts=known, columns=left, negated=self.barring) for item in self.conditions]
        try:
            return every(each) if self.barring else some(each)
        except NotInQuery as unknown:
            return unknown


def _parts(action: Action) -> list[_Part]:
    """Return what must hold: some permit, no denial, and no permit with an obligation that nothing can carry out."""
    program = active_program()
    rules = rules_of_revision(program.revision)
    if action.value not in program.index:
        raise PermittedSetUnavailable("The active policy holds hand-written modules, which no query can follow.")
    specs = [rule.spec for rule in rules if action.value in rule.spec.actions]
    permits = tuple(spec.condition for spec in specs if spec.effect is Effect.PERMIT)
    given = _given(permits, action)
    barring = [spec.condition for spec in specs if spec.effect is Effect.DENY or _is_unsupported(spec)]
    wanted = [_Part((item,)) for item in _conjuncts(permits[0])] if len(permits) == 1 else [_Part(permits)]
    return [*wanted, *(_Part((condition,), True, given) for condition in barring)]


def _given(permits: Sequence[Condition], action: Action) -> dict[str, object]:
    """Return the attributes of rows for which every permit requires one value: denials need not test them again."""
    columns = {attribute.path for attribute in attributes_for(action) if attribute.orm}
    each: list[set[tuple[str, object]]] = [
        {
            (item.attr, item.value)
            for item in _conjuncts(condition)
            if isinstance(item, Compare) and item.op is Operator.EQ and item.other is None and item.attr in columns
        }
        for condition in permits
    ]
    return dict(set.intersection(*each)) if each else {}


def _conjuncts(condition: Condition) -> tuple[Condition, ...]:
    return condition.items if isinstance(condition, All) else (condition,)


def _with(facts: _Facts, given: Mapping[str, object]) -> _Facts:
    known = dict(facts)
    for path, value in given.items():
        head, _, name = path.partition(".")
        group = known.get(head)
        known[head] = {**group, name: value} if isinstance(group, Mapping) else {name: value}
    return known


def _is_unsupported(spec: RuleSpec) -> bool:
    return not {obligation.kind for obligation in spec.obligations} <= supported_obligations.get()


def _needed(tried: list[Compiled | NotInQuery]) -> Compiled:
    try:
        return every(tried)
    except NotInQuery as unknown:
        attribute = current_schema().get(unknown.path)
        if attribute is not None and attribute.orm.startswith("model."):
            message = f"The answer depends on {attribute.label}, so name the model."
            raise ModelNeeded(message, details={"field": "model"}) from unknown
        raise PermittedSetUnavailable(
            f"The active policy asks about {unknown.path}, which no query knows."
        ) from unknown


def _consented(parts: list[_Part], action: Action, facts: _Facts, context: AccessContext) -> Q:
    """Return what the parts that test consent require of the governing statement, or of its absence."""
    statement = {**_columns(action, "asset", OuterRef), **_columns(action, "consent", F)}
    governing = _needed([part.tried(statement, facts) for part in parts]).q
    exists = Exists(governing_statements(at=context.at).filter(_as_q(governing)))
    # In a CASE, so that a page is read off the primary key, work by work, until it is full. As a bare EXISTS it is made
    # into a join, whose size PostgreSQL underestimates, and all works are joined and sorted for one page.
    permitted = Q(Case(When(exists, then=Value(True)), default=Value(False), output_field=BooleanField()))
    without = {**facts, "consent": consent_facts(_NO_STATEMENT, f"{action}:{context.purpose}")}
    absent = _needed([part.tried(_columns(action, "asset", F), without) for part in parts]).q
    return permitted if absent is False else permitted | (Q(governing_consent=None) & _as_q(absent))


def _as_q(answer: Q | bool) -> Q:
    if isinstance(answer, Q):
        return answer
    return Q() if answer else Q(pk__in=[])


def _columns(action: Action, row: str, reference: type[F]) -> dict[str, Column]:
    """Return the columns that one kind of row knows; `reference` is F, or OuterRef below another query."""
    found: dict[str, Column] = {}
    for attribute in attributes_for(action):
        kind, _, name = attribute.orm.partition(".")
        if kind == row:
            has = covers_pair if attribute.orm == "consent.pairs" else None
            found[attribute.path] = Column(reference(name), attribute.nullable, has)
    return found
