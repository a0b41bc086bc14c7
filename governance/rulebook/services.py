"""Changes to the rulebook: ABAC rules, and the revisions that are made of them."""

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, connection, transaction
from django.db.models import Max

from governance.audit.services import record
from governance.audit.types import Actor, SubjectRef
from governance.engines.ports import policy_engine
from governance.kernel import clock
from governance.kernel.canonical import digest
from governance.rulebook.conditions import condition_json
from governance.rulebook.content import RevisionContent, build_content
from governance.rulebook.errors import FieldError, RuleIdTaken, RuleInvalid
from governance.rulebook.models import AbacRule, PolicyActivation, PolicyRevision
from governance.rulebook.queries import active_revision, spec_of, verified_program
from governance.rulebook.rules import obligations_json, rule_json, system_rules
from governance.rulebook.schema import current_schema
from governance.rulebook.signing import sign_revision
from governance.rulebook.types import RuleSpec
from governance.rulebook.validation import checked

#: Any fixed number: whoever holds this advisory lock is the one publisher of the database.
_PUBLISH_LOCK = 0x70_75_62_6C_69_73_68


def create_rule(*, spec: RuleSpec, enabled: bool, actor_user: AbstractBaseUser) -> AbacRule:
    """Store a new ABAC rule; it decides once it is published. Raises RuleInvalid or RuleIdTaken."""
    spec = checked(spec, current_schema())
    _refuse_system_id(spec.id)
    author = actor_user.get_username()
    rule = AbacRule(slug=spec.id, created_by=author)
    _fill(rule, spec=spec, enabled=enabled, author=author)
    try:
        with transaction.atomic():
            rule.save(force_insert=True)
            _record_rule("rule.created", rule, spec, actor_user)
    except IntegrityError as error:
        raise RuleIdTaken(f"There is already a rule '{spec.id}'.") from error
    return rule


def update_rule(*, rule: AbacRule, spec: RuleSpec, enabled: bool, actor_user: AbstractBaseUser) -> AbacRule:
    """Change an ABAC rule; its id stays. The change decides once it is published. Raises RuleInvalid."""
    spec = checked(spec, current_schema())
    if spec.id != rule.slug:
        raise RuleInvalid([FieldError("id", "The id of a rule does not change; make a new rule.")], rule_id=rule.slug)
    with transaction.atomic():
        locked = AbacRule.objects.select_for_update().get(pk=rule.pk)
        _fill(locked, spec=spec, enabled=enabled, author=actor_user.get_username())
        locked.save()
        _record_rule("rule.updated", locked, spec, actor_user)
    return locked


@transaction.atomic
def delete_rule(*, rule: AbacRule, actor_user: AbstractBaseUser) -> None:
    """Remove an ABAC rule; it stops deciding once a revision without it is published."""
    subject, slug = _rule_ref(rule), rule.slug
    rule.delete()
    record(kind="rule.deleted", subject=subject, actor=_user(actor_user), data={"rule": slug})


@transaction.atomic
def publish(*, actor: Actor, note: str = "") -> PolicyRevision:
    """Make the system rules and the enabled ABAC rules the active policy, and return its revision.

    The same rules are the same revision: it is activated again, or left as it is when it is active already. Raises
    RuleInvalid when a rule no longer fits the schema, ProgramRejected when the engine refuses the program,
    KeyUnavailable when it cannot be signed, RevisionCorrupt when the stored revision is not what was signed.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_PUBLISH_LOCK])
    content = current_content()
    revision = PolicyRevision.objects.filter(digest=content.digest).first()
    if revision is None:
        revision = _store(content, actor=actor, note=note)
    elif active_revision() == revision:
        verified_program(revision)
        return revision
    policy_engine.get().check(program=verified_program(revision))
    PolicyActivation.objects.create(revision=revision, activated_by=str(actor), activated_at=clock.now())
    record(kind="revision.activated", subject=_revision_ref(revision), actor=actor, data=_facts(revision))
    return revision


def current_content() -> RevisionContent:
    """Return what `publish` would make of the rules as they are now. Raises RuleInvalid."""
    enabled = AbacRule.objects.filter(enabled=True).order_by("slug")
    return build_content(schema=current_schema(), system=system_rules(), abac=[spec_of(rule) for rule in enabled])


def _store(content: RevisionContent, *, actor: Actor, note: str) -> PolicyRevision:
    newest = PolicyRevision.objects.aggregate(newest=Max("number"))["newest"] or 0
    revision = PolicyRevision.objects.create(
        number=newest + 1,
        digest=content.digest,
        content=content.text,
        signature=sign_revision(content.digest).to_json(),
        rule_count=content.rule_count,
        note=note,
        created_by=str(actor),
        created_at=clock.now(),
    )
    record(kind="revision.published", subject=_revision_ref(revision), actor=actor, data=_facts(revision))
    return revision


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


def _record_rule(kind: str, rule: AbacRule, spec: RuleSpec, user: AbstractBaseUser) -> None:
    data = {"rule": spec.id, "effect": spec.effect.value, "enabled": rule.enabled, "digest": digest(rule_json(spec))}
    record(kind=kind, subject=_rule_ref(rule), actor=_user(user), data=data)


def _rule_ref(rule: AbacRule) -> SubjectRef:
    return SubjectRef("rule", str(rule.pk))


def _revision_ref(revision: PolicyRevision) -> SubjectRef:
    return SubjectRef("revision", revision.digest)


def _facts(revision: PolicyRevision) -> dict[str, str | int]:
    return {"number": revision.number, "digest": revision.digest, "rules": revision.rule_count}


def _user(user: AbstractBaseUser) -> Actor:
    return Actor("user", str(user.pk))
