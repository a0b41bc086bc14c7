"""What a draft would change: the current rules compared with the active revision."""

from collections.abc import Mapping
from dataclasses import dataclass

from governance.console.presentation import Tone
from governance.kernel.errors import GovernanceError
from governance.rulebook.content import ABAC, SYSTEM, RevisionRule
from governance.rulebook.diff import ChangeKind, RevisionDiff, compare, sentence_of
from governance.rulebook.errors import RuleInvalid
from governance.rulebook.models import AbacRule, PolicyRevision
from governance.rulebook.queries import active_revision, revision_rules, spec_of
from governance.rulebook.rules import rule_json, system_rules
from governance.rulebook.services import current_content

CHANGE_TONES = {ChangeKind.ADDED: Tone.GOOD, ChangeKind.CHANGED: Tone.WARN, ChangeKind.REMOVED: Tone.BAD}


@dataclass(frozen=True, slots=True)
class Change:
    """One rule that a draft would add, change or remove, as sentences."""

    kind: ChangeKind
    origin: str
    rule_id: str
    effect: str
    sentence: str
    message: str
    before: str

    @property
    def tone(self) -> Tone:
        """The colour of the badge."""
        return CHANGE_TONES[self.kind]


@dataclass(frozen=True, slots=True)
class Pending:
    """All that a draft would change. `problems` keep it from being proposed."""

    active: PolicyRevision | None
    changes: tuple[Change, ...]
    problems: tuple[str, ...]
    recompiled: bool

    @property
    def any(self) -> bool:
        return bool(self.changes) or self.recompiled

    @property
    def abac(self) -> list[Change]:
        return [change for change in self.changes if change.origin == ABAC]

    @property
    def system(self) -> list[Change]:
        return [change for change in self.changes if change.origin == SYSTEM]


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """Whether a rule decides now, and whether a draft would change that."""

    label: str
    tone: Tone
    pending: bool


def pending_changes() -> Pending:
    """Return what a draft of today's rules would change."""
    active = active_revision()
    live = _live(active)
    wanted, problems = _wanted()
    changes = [_change(live.get(rule_id), wanted.get(rule_id)) for rule_id in sorted({*live, *wanted})]
    found = tuple(change for change in changes if change is not None)
    return Pending(active, found, tuple(problems), _recompiled(active, bool(found), bool(problems)))


def rule_statuses(rules: list[AbacRule]) -> dict[str, RuleStatus]:
    """Return, by slug, how each rule compares with the active revision."""
    live = _live(active_revision())
    return {rule.slug: _rule_status(rule, live.get(rule.slug)) for rule in rules}


def diff_view(before: PolicyRevision | None, after: tuple[str, str]) -> RevisionDiff:
    """Return what differs between a revision, or no rules at all, and the content (text, digest) of another."""
    return compare(before=(before.content, before.digest) if before else None, after=after)


def _live(active: PolicyRevision | None) -> Mapping[str, RevisionRule]:
    return {rule.spec.id: rule for rule in revision_rules(active)} if active else {}


def _wanted() -> tuple[dict[str, RevisionRule], list[str]]:
    wanted = {spec.id: RevisionRule(SYSTEM, spec) for spec in system_rules()}
    problems = []
    for rule in AbacRule.objects.filter(enabled=True).order_by("slug"):
        try:
            wanted[rule.slug] = RevisionRule(ABAC, spec_of(rule))
        except RuleInvalid as error:
            problems.append(error.message)
    return wanted, problems


def _change(live: RevisionRule | None, wanted: RevisionRule | None) -> Change | None:
    rule = wanted or live
    if rule is None or (live and wanted and rule_json(live.spec) == rule_json(wanted.spec)):
        return None
    kind = ChangeKind.REMOVED if wanted is None else ChangeKind.ADDED if live is None else ChangeKind.CHANGED
    return Change(
        kind=kind,
        origin=rule.origin,
        rule_id=rule.spec.id,
        effect=rule.spec.effect.value,
        sentence=sentence_of(rule.spec),
        message=rule.spec.message,
        before=sentence_of(live.spec) if live is not None and kind is ChangeKind.CHANGED else "",
    )


def _recompiled(active: PolicyRevision | None, changed: bool, broken: bool) -> bool:
    """The same rules can compile to another program after an upgrade of the schema or the compiler."""
    if active is None or changed or broken:
        return False
    try:
        return current_content().digest != active.digest
    except GovernanceError:
        return False


def _rule_status(rule: AbacRule, live: RevisionRule | None) -> RuleStatus:
    if live is None:
        if not rule.enabled:
            return RuleStatus("Disabled", Tone.QUIET, pending=False)
        return RuleStatus("Not yet in the active revision", Tone.WARN, pending=True)
    if not rule.enabled:
        return RuleStatus("Disabled, still in force", Tone.WARN, pending=True)
    try:
        same = rule_json(spec_of(rule)) == rule_json(live.spec)
    except RuleInvalid:
        same = False
    if same:
        return RuleStatus("In force", Tone.GOOD, pending=False)
    return RuleStatus("Changed, not yet in force", Tone.WARN, pending=True)
