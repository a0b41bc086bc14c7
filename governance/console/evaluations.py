"""Decision records for display: each evaluation with its rules, sentences and facts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from governance.catalog.choices import ConsentState
from governance.console.presentation import choice_badge
from governance.console.subjects import subject_link
from governance.decisions.explanations import Explanation
from governance.decisions.models import DecisionRecord
from governance.kernel.vocabulary import ACTION_LABELS, Action
from governance.registry.choices import LicenceState
from governance.rulebook.explain import RuleExplanation


@dataclass(frozen=True, slots=True)
class EvaluationView:
    """One question of a decision and its answer, ready to be drawn."""

    action: str
    action_label: str
    resource: SafeString
    effect: SafeString
    permitted: bool
    permits: list[str]
    denies: list[str]
    reasons: list[Mapping[str, Any]]
    obligations: list[Mapping[str, Any]]
    facts: str


@dataclass(frozen=True, slots=True)
class ConsentView:
    """What consent covered a work when it was decided, from the recorded facts."""

    asset_id: str
    work: SafeString
    creator: SafeString
    state: SafeString
    level: str | None
    pairs: list[str]
    regions: list[str]
    partners: list[str]
    excluded: list[str]
    epoch: int


@dataclass(frozen=True, slots=True)
class RuleView:
    """One rule of an explanation, ready to be drawn. `seen` has what a failed condition read."""

    rule_id: str
    origin: str
    effect: SafeString
    sentence: str
    matched: bool
    failed: str
    seen: list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class ExplanationView:
    """An explanation, ready to be drawn."""

    matched: list[RuleView]
    unmatched: list[RuleView]
    problem: str
    handwritten: bool


def rule_views(explanation: Explanation) -> ExplanationView:
    """Return an explanation as the page shows it: the rules that matched, and those that did not."""
    views = [_rule(each) for each in explanation.rules]
    return ExplanationView(
        matched=[view for view in views if view.matched],
        unmatched=[view for view in views if not view.matched],
        problem=explanation.problem,
        handwritten=explanation.handwritten,
    )


def _rule(each: RuleExplanation) -> RuleView:
    failed = each.failed
    return RuleView(
        rule_id=each.rule_id,
        origin=each.origin,
        effect=choice_badge(each.effect.value, each.effect.value.capitalize()),
        sentence=each.sentence,
        matched=each.matched,
        failed=failed.sentence if failed else "",
        seen=[(seen.path, seen.label, json.dumps(seen.value, ensure_ascii=False)) for seen in failed.seen]
        if failed
        else [],
    )


def evaluation_views(decision: DecisionRecord) -> list[EvaluationView]:
    """Return the evaluations of a decision in the order in which they were asked."""
    return [_evaluation(each) for each in decision.evaluations]


def consent_views(decision: DecisionRecord) -> list[ConsentView]:
    """Return the consent that a decision found for each work it was asked about."""
    return [
        _consent(each["resource"]["id"], each["facts"])
        for each in decision.evaluations
        if "level" in each["facts"].get("consent", {})
    ]


def licence_facts(decision: DecisionRecord) -> dict[str, Any] | None:
    """Return the state of the model's licence at the decision, or None if it was not evaluated."""
    for each in decision.evaluations:
        facts = each["facts"].get("licence")
        if facts:
            label = LicenceState(facts["state"]).label
            return {**facts, "state_badge": choice_badge(facts["state"], str(label)), "model": each["facts"]["model"]}
    return None


def _evaluation(each: Mapping[str, Any]) -> EvaluationView:
    return EvaluationView(
        action=each["action"],
        action_label=ACTION_LABELS[Action(each["action"])],
        resource=subject_link(each["resource"]["type"], each["resource"]["id"]),
        effect=choice_badge(each["effect"], each["effect"].capitalize()),
        permitted=each["effect"] == "permit",
        permits=each["matched_rules"]["permit"],
        denies=each["matched_rules"]["deny"],
        reasons=each["reasons"],
        obligations=each["obligations"],
        facts=json.dumps(each["facts"], indent=2, ensure_ascii=False, sort_keys=True),
    )


def _consent(asset_id: str, facts: Mapping[str, Any]) -> ConsentView:
    consent = facts["consent"]
    state = ConsentState(consent["state"])
    return ConsentView(
        asset_id=asset_id,
        work=subject_link("asset", asset_id),
        creator=subject_link("creator", facts["asset"]["creator"]),
        state=choice_badge(state.value, str(state.label)),
        level=consent["level"],
        pairs=consent["pairs"],
        regions=consent["regions"],
        partners=consent["partners"],
        excluded=consent["partners_excluded"],
        epoch=consent["epoch"],
    )
