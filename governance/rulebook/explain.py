"""Explains why rules matched or did not: which condition failed first, and what it compared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from governance.engines.messages import render
from governance.engines.types import Effect
from governance.rulebook.attributes import AttributeSchema
from governance.rulebook.content import RevisionRule
from governance.rulebook.evaluation import fact_at, holds
from governance.rulebook.schema import current_schema
from governance.rulebook.sentences import condition_sentence, sentence
from governance.rulebook.types import All, Any_, Compare, Condition, Not

_ASKERS_OWN = frozenset(["Request", "Partner", "Token", "Roles"])


@dataclass(frozen=True, slots=True)
class Seen:
    """An attribute that a condition compared, with its value."""

    path: str
    label: str
    value: object


@dataclass(frozen=True, slots=True)
class Failed:
    """The first condition of a rule that did not hold, as part of a sentence, with what it compared."""

    sentence: str
    seen: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class RuleExplanation:
    """The result of one rule about the action. `failed` is None where it matched."""

    rule_id: str
    origin: str
    effect: Effect
    reason_code: str
    sentence: str
    matched: bool
    failed: Failed | None

    @property
    def decisive(self) -> bool:
        """Whether the rule denies and matched."""
        return self.matched and self.effect is Effect.DENY


def explain(*, rules: Iterable[RevisionRule], action: str, facts: Mapping[str, object]) -> tuple[RuleExplanation, ...]:
    """Return an explanation of every rule about `action`: what matched first, denials before permits, then by id.

    `facts` must be complete. Raises KeyError, the path, when a rule asks about a fact that is not there or that
    today's schema no longer knows.
    """
    schema = current_schema()
    found = [_explained(rule, facts, schema) for rule in rules if action in rule.spec.actions]
    return tuple(sorted(found, key=lambda each: (not each.matched, each.effect is Effect.PERMIT, each.rule_id)))


def sentences_for_partner(
    *, rules: Iterable[RevisionRule], action: str, facts: Mapping[str, object]
) -> tuple[str, ...]:
    """Return why `action` is permitted or denied, as sentences that may be shown to the partner who asked.

    They are the messages of the rules that denied, or else of those that permit; where there are neither, what each
    permit lacks, but only in so far as it is about the request, the partner or its token: what others agreed upon is
    not told. Raises KeyError like `explain`.
    """
    about = [rule for rule in rules if action in rule.spec.actions]
    matched = [rule.spec for rule in about if holds(rule.spec.condition, facts)]
    permits = [rule.spec for rule in about if rule.spec.effect is Effect.PERMIT]
    denials = [spec for spec in matched if spec.effect is Effect.DENY]
    if matched:
        return tuple(dict.fromkeys(render(spec.message, facts) for spec in denials or matched))
    lacking = [_lacking(first_failure(spec.condition, facts, current_schema())) for spec in permits]
    return tuple(dict.fromkeys([f"No rule permits {action} here.", *lacking]))


def first_failure(condition: Condition, facts: Mapping[str, object], schema: AttributeSchema) -> Failed:
    """Return the first part of a condition that does not hold. The condition as a whole must not hold.

    Of alternatives, none of which holds, all are shown together.
    """
    match condition:
        case All(items):
            failing = next((item for item in items if not holds(item, facts)), condition)
            if failing is not condition:
                return first_failure(failing, facts, schema)
        case Any_((single,)):
            return first_failure(single, facts, schema)
    paths = dict.fromkeys(_paths(condition))
    seen = tuple(Seen(path, schema.attributes[path].label, fact_at(facts, path)) for path in paths)
    return Failed(condition_sentence(condition, schema), seen)


def _explained(rule: RevisionRule, facts: Mapping[str, object], schema: AttributeSchema) -> RuleExplanation:
    spec = rule.spec
    matched = holds(spec.condition, facts)
    return RuleExplanation(
        rule_id=spec.id,
        origin=rule.origin,
        effect=spec.effect,
        reason_code=spec.reason_code,
        sentence=sentence(spec, schema),
        matched=matched,
        failed=None if matched else first_failure(spec.condition, facts, schema),
    )


def _lacking(failed: Failed) -> str:
    groups = {current_schema().attributes[seen.path].group for seen in failed.seen}
    if groups <= _ASKERS_OWN:
        return f"It would require that {failed.sentence}."
    others = sorted(group.lower() for group in groups - _ASKERS_OWN)
    return f"What is agreed about the {' and the '.join(others)} does not cover this request."


def _paths(condition: Condition) -> Iterable[str]:
    match condition:
        case All(items) | Any_(items):
            for item in items:
                yield from _paths(item)
        case Not(item):
            yield from _paths(item)
        case Compare(attr, _, _, other):
            yield attr
            if other is not None:
                yield other
