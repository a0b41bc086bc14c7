"""A replay report in bars and charts."""

from dataclasses import dataclass
from typing import Any

from governance.console.dashboard import Bar
from governance.console.presentation import list_url
from governance.decisions.choices import FlipDirection
from governance.decisions.models import ReplayReport
from governance.rulebook.models import AbacRule

SHOWN = 8
TITLES = {"rule": "Rule", "creator": "Creator", "partner": "Partner", "model": "Model", "action": "Action"}
COLOURS = {FlipDirection.TO_DENY: "#e5484d", FlipDirection.TO_PERMIT: "#22a35a"}
TONES = {FlipDirection.TO_DENY: "bad", FlipDirection.TO_PERMIT: "good"}


@dataclass(frozen=True, slots=True)
class Dimension:
    """The distribution of flips by one dimension. `hidden` counts the names that are not shown."""

    title: str
    bars: list[Bar]
    hidden: int


def dimension_bars(report: ReplayReport) -> list[Dimension]:
    """Return, for rules, creators, partners, models and actions, the names with most flips in each direction."""
    return [_dimension(report, name, title) for name, title in TITLES.items()]


def flip_chart(report: ReplayReport) -> dict[str, Any]:
    """Return the flips by rule, both directions stacked, as data for Chart.js."""
    counts = {direction: report.summary[direction]["rule"] for direction in FlipDirection}
    totals = {rule: sum(by_rule.get(rule, 0) for by_rule in counts.values()) for by in counts.values() for rule in by}
    rules = sorted(totals, key=lambda rule: (-totals[rule], rule))[:SHOWN]
    return {
        "labels": rules,
        "datasets": [
            {
                "label": str(direction.label),
                "data": [by_rule.get(rule, 0) for rule in rules],
                "backgroundColor": COLOURS[direction],
                "maxBarThickness": 36,
                "borderRadius": 2,
                "displayYAxis": True,
            }
            for direction, by_rule in counts.items()
        ],
    }


def progress_percent(report: ReplayReport) -> int:
    """Return how far a replay has come, in percent."""
    return 100 if not report.total else min(100, report.done * 100 // report.total)


def _dimension(report: ReplayReport, name: str, title: str) -> Dimension:
    found = [
        (count, value, direction)
        for direction in FlipDirection
        for value, count in report.summary[direction][name].items()
    ]
    found.sort(key=lambda each: (-each[0], each[1]))
    largest = found[0][0] if found else 1
    bars = [
        Bar(
            label=value,
            count=count,
            share=max(1, round(count * 100 / largest)),
            tone=TONES[direction],
            link=list_url(AbacRule, f"?q={value}") if name == "rule" else "",
        )
        for count, value, direction in found[:SHOWN]
    ]
    return Dimension(title, bars, max(0, len(found) - SHOWN))
