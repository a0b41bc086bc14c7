"""What differs between two sets of rules: as sentences, as conditions, and in the Rego that they compile to."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from enum import StrEnum

from governance.rulebook.conditions import condition_json
from governance.rulebook.content import RevisionRule, custom_meanings, program_of, rules_of
from governance.rulebook.errors import RuleInvalid
from governance.rulebook.preview import describe
from governance.rulebook.rules import rule_json
from governance.rulebook.types import RuleSpec


class ChangeKind(StrEnum):
    """What happened to a rule."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One rule before and after; None where there is none."""

    rule_id: str
    before: RevisionRule | None
    after: RevisionRule | None

    @property
    def kind(self) -> ChangeKind:
        """Whether the rule was added, changed or removed."""
        if self.before is None:
            return ChangeKind.ADDED
        return ChangeKind.REMOVED if self.after is None else ChangeKind.CHANGED

    @property
    def rule(self) -> RevisionRule:
        """The rule as it is afterwards, or as it was where it was removed."""
        rule = self.after or self.before
        if rule is None:
            raise ValueError("A change has a rule before it, after it, or both.")
        return rule

    @property
    def sentence_before(self) -> str:
        """The rule before as a sentence; empty for a new rule."""
        return sentence_of(self.before.spec) if self.before else ""

    @property
    def sentence_after(self) -> str:
        """The rule afterwards as a sentence; empty for a removed rule."""
        return sentence_of(self.after.spec) if self.after else ""

    @property
    def condition_lines(self) -> list[str]:
        """The two conditions as a unified diff of their JSON."""
        return _diff(_condition_lines(self.before), _condition_lines(self.after))


@dataclass(frozen=True, slots=True)
class ModuleChange:
    """The Rego of one action, as lines of a unified diff."""

    action: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RevisionDiff:
    """Everything that differs, by rule id and by action."""

    rules: tuple[RuleChange, ...]
    modules: tuple[ModuleChange, ...]


def compare(*, before: tuple[str, str] | None, after: tuple[str, str]) -> RevisionDiff:
    """Return what differs between two revision contents, each (text, digest); None stands for no rules at all.

    Raises RevisionCorrupt when a text is not what its digest says.
    """
    old_rules = {rule.spec.id: rule for rule in rules_of(text=before[0], digest=before[1])} if before else {}
    new_rules = {rule.spec.id: rule for rule in rules_of(text=after[0], digest=after[1])}
    old_modules = _sources(*before) if before else {}
    new_modules = _sources(*after)
    return RevisionDiff(rules=compare_rules(old_rules, new_rules), modules=_modules(old_modules, new_modules))


def compare_rules(before: Mapping[str, RevisionRule], after: Mapping[str, RevisionRule]) -> tuple[RuleChange, ...]:
    """Return the rules that are not the same in both, by id."""
    return tuple(
        RuleChange(rule_id, before.get(rule_id), after.get(rule_id))
        for rule_id in sorted({*before, *after})
        if _data(before.get(rule_id)) != _data(after.get(rule_id))
    )


def sentence_of(spec: RuleSpec) -> str:
    """Return a rule as a sentence, or why it does not fit the present schema."""
    try:
        return describe(spec)
    except RuleInvalid as error:
        return f"This rule no longer fits the attribute schema: {error.message}"


def _sources(text: str, digest: str) -> dict[str, str]:
    """Return the Rego of each action, and what the rules of hand-written modules mean: obligations are only there."""
    return {**program_of(text=text, digest=digest).modules, **custom_meanings(text=text, digest=digest)}


def _data(rule: RevisionRule | None) -> object:
    return (rule.origin, rule_json(rule.spec)) if rule else None


def _condition_lines(rule: RevisionRule | None) -> list[str]:
    return json.dumps(condition_json(rule.spec.condition), indent=2).splitlines() if rule else []


def _modules(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[ModuleChange, ...]:
    return tuple(
        ModuleChange(action, tuple(_diff(before.get(action, "").splitlines(), after.get(action, "").splitlines())))
        for action in sorted({*before, *after})
        if before.get(action) != after.get(action)
    )


def _diff(before: Sequence[str], after: Sequence[str]) -> list[str]:
    return list(unified_diff(before, after, n=2, lineterm=""))[2:]
