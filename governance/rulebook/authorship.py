"""Who wrote what a draft would put into force. Nobody of them may approve it.

Edits are counted by rule, from when what the rule said was last in force: a rule that somebody wrote disabled, and
somebody else enabled later, has two authors.
"""

from collections.abc import Mapping
from itertools import islice

from django.contrib.auth import get_user_model
from django.db.models import Q

from governance.rulebook.content import ABAC, RevisionRule, rules_of
from governance.rulebook.models import AbacRule, PolicyRevision, RuleEdit
from governance.rulebook.queries import active_revision, revision_rules
from governance.rulebook.rules import rule_json

#: How many revisions that were in force are searched for what a rule says now. Past them it counts as never in force.
REVISIONS_SEARCHED = 100


def authors_of(*, text: str, digest: str, last_edit: int) -> set[str]:
    """Return everybody who wrote, edited, enabled, disabled, reverted, imported or deleted any rule of a draft.

    `last_edit` is the newest edit before its rules were taken. A rule of the active revision counts from when that
    revision's rules were taken, changed by the draft or not. Another counts from when exactly what it says was last in
    force, and from its first edit where that never was. Raises RevisionCorrupt.
    """
    base = active_revision()
    before = _own(revision_rules(base)) if base else {}
    after = _own(rules_of(text=text, digest=digest))
    of_base = Q(slug__in=list(before), id__gt=base.last_edit if base else 0)
    new = {slug: rule for slug, rule in after.items() if slug not in before}
    wanted = of_base
    for slug, floor in _last_in_force(new).items():
        wanted |= Q(slug=slug, id__gt=floor)
    edits = RuleEdit.objects.filter(wanted, id__lte=last_edit)
    persons = set(edits.order_by().values_list("person", flat=True).distinct())
    return persons | _before_edits_were_kept(new)


def _last_in_force(rules: Mapping[str, RevisionRule]) -> dict[str, int]:
    """Return by slug the newest edit before the rule, exactly as it is, was last taken into force; 0 for never."""
    found: dict[str, int] = dict.fromkeys(rules, 0)
    missing = dict(rules)
    activated = PolicyRevision.objects.filter(activations__isnull=False).distinct().order_by("-last_edit", "-number")
    for revision in islice(activated.iterator(chunk_size=10), REVISIONS_SEARCHED):
        if not missing:
            break
        held = _own(revision_rules(revision))
        same = [slug for slug, rule in missing.items() if slug in held and _says(held[slug]) == _says(rule)]
        for slug in same:
            found[slug] = revision.last_edit
            del missing[slug]
    return found


def _before_edits_were_kept(rules: Mapping[str, RevisionRule]) -> set[str]:
    """Return who wrote rules that have no edit on record: they are older than the record of edits."""
    kept = RuleEdit.objects.filter(slug__in=list(rules)).values("slug")
    old = AbacRule.objects.filter(slug__in=list(rules)).exclude(slug__in=kept)
    names = {name for pair in old.values_list("created_by", "updated_by") for name in pair}
    users = get_user_model().objects.filter(**{f"{get_user_model().USERNAME_FIELD}__in": names})
    return {f"user:{pk}" for pk in users.values_list("pk", flat=True)}


def _own(rules: tuple[RevisionRule, ...]) -> dict[str, RevisionRule]:
    return {rule.spec.id: rule for rule in rules if rule.origin == ABAC}


def _says(rule: RevisionRule) -> object:
    return rule_json(rule.spec)
