"""Changes to the ABAC rules, and the content that they make together with the system rules."""

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from governance.audit.recording.locking import lock_unchanged
from governance.audit.recording.record import record
from governance.audit.recording.states import State
from governance.audit.types import Actor
from governance.kernel import clock
from governance.kernel.canonical import digest
from governance.rulebook.conditions import condition_json
from governance.rulebook.content import RevisionContent, build_content
from governance.rulebook.custom_rego import custom_modules
from governance.rulebook.entries import RULE, RuleCreated, RuleDeleted, RuleUpdated, RuleWritten
from governance.rulebook.errors import FieldError, RuleIdTaken, RuleInvalid
from governance.rulebook.locks import lock_policy
from governance.rulebook.models import AbacRule, PolicyRevision, RuleEdit
from governance.rulebook.queries import spec_of
from governance.rulebook.rules import obligations_json, rule_json, system_rules
from governance.rulebook.schema import current_schema
from governance.rulebook.types import RuleSpec
from governance.rulebook.validation import checked


def create_rule(*, spec: RuleSpec, enabled: bool, actor_user: AbstractBaseUser) -> AbacRule:
    """Store a new ABAC rule; it takes effect with a revision that has it. Raises RuleInvalid or RuleIdTaken."""
    spec = checked(spec, current_schema())
    _refuse_system_id(spec.id)
    author = actor_user.get_username()
    rule = AbacRule(slug=spec.id, created_by=author)
    _fill(rule, spec=spec, enabled=enabled, author=author)
    try:
        with transaction.atomic():
            lock_policy()
            rule.save(force_insert=True)
            _record(RuleCreated, rule, spec, before=None, user=actor_user)
    except IntegrityError as error:
        raise RuleIdTaken(f"There is already a rule '{spec.id}'.") from error
    return rule


def update_rule(
    *, rule: AbacRule, spec: RuleSpec, enabled: bool, actor_user: AbstractBaseUser, seen: State | None = None
) -> AbacRule:
    """Change an ABAC rule; its id stays. The change takes effect with a revision that has it.

    `seen` is the state that the change was prepared from, None to change it as it is. Raises RuleInvalid,
    ChangedMeanwhile.
    """
    spec = checked(spec, current_schema())
    if spec.id != rule.slug:
        raise RuleInvalid([FieldError("id", "The id of a rule does not change; make a new rule.")], rule_id=rule.slug)
    with transaction.atomic():
        lock_policy()
        locked, before = lock_unchanged(RULE, rule, seen=seen)
        _fill(locked, spec=spec, enabled=enabled, author=actor_user.get_username())
        locked.save()
        _record(RuleUpdated, locked, spec, before=before, user=actor_user)
    return locked


@transaction.atomic
def delete_rule(*, rule: AbacRule, actor_user: AbstractBaseUser) -> None:
    """Remove an ABAC rule; it stays in effect until a revision without it is active. Raises ChangedMeanwhile."""
    lock_policy()
    locked, before = lock_unchanged(RULE, rule, seen=None)
    subject, deleted = RULE.ref(locked), RuleDeleted(rule=locked.slug, before=before, after=None)
    locked.delete()
    _note_edit(deleted.rule, actor_user)
    record(deleted, subject=subject, actor=_user(actor_user))


def current_content() -> RevisionContent:
    """Return the revision content of the present rules. Raises RuleInvalid."""
    enabled = AbacRule.objects.filter(enabled=True).order_by("slug")
    return build_content(
        schema=current_schema(),
        system=system_rules(),
        abac=[spec_of(rule) for rule in enabled],
        custom=custom_modules(),
    )


def content_of(revision: PolicyRevision) -> RevisionContent:
    """Return the content of a revision, as it was published."""
    return RevisionContent(revision.content, revision.digest, revision.rule_count)


def _refuse_system_id(rule_id: str) -> None:
    if any(rule.id == rule_id for rule in system_rules()):
        raise RuleIdTaken(f"There is already a system rule '{rule_id}'.")


def _fill(rule: AbacRule, *, spec: RuleSpec, enabled: bool, author: str) -> None:
    rule.effect = spec.effect.value
    rule.actions = list(spec.actions)
    rule.condition = condition_json(spec.condition)
    rule.reason_code = spec.reason_code
    rule.message = spec.message
    rule.obligations = obligations_json(spec.obligations)
    rule.enabled = enabled
    rule.updated_by = author
    rule.updated_at = clock.now()


def _record(
    kind: type[RuleWritten], rule: AbacRule, spec: RuleSpec, *, before: State | None, user: AbstractBaseUser
) -> None:
    entry = kind(
        rule=spec.id,
        effect=spec.effect.value,
        enabled=rule.enabled,
        digest=digest(rule_json(spec)),
        before=before,
        after=RULE.state(rule),
    )
    _note_edit(spec.id, user)
    record(entry, subject=RULE.ref(rule), actor=_user(user))


def _note_edit(slug: str, user: AbstractBaseUser) -> None:
    RuleEdit.objects.create(slug=slug, person=str(_user(user)), edited_at=clock.now())


def _user(user: AbstractBaseUser) -> Actor:
    return Actor("user", str(user.pk))
