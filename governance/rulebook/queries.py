"""Reads of the rulebook."""

from functools import lru_cache

from django.db.models import Exists

from governance.engines.types import PolicyProgram
from governance.keys.dsse import Envelope, EnvelopeMalformed
from governance.rulebook.content import RevisionRule, program_of, rules_of
from governance.rulebook.errors import NoActiveRevision, PolicyFrozen, RevisionCorrupt, RevisionNotFound
from governance.rulebook.models import AbacRule, PolicyActivation, PolicyFreeze, PolicyRevision
from governance.rulebook.rules import parse_rule
from governance.rulebook.schema import current_schema
from governance.rulebook.signing import verify_revision
from governance.rulebook.types import RuleSpec


def active_program() -> PolicyProgram:
    """Return the program of the active revision: one small query, then this process's copy of that revision.

    Read for every decision, so that an activation, a rollback or a freeze holds in every process with the next
    decision. Raises NoActiveRevision, PolicyFrozen, or RevisionCorrupt when what is stored is not what was signed.
    """
    frozen = Exists(PolicyFreeze.objects.filter(active=True))
    newest = PolicyActivation.objects.order_by("-id").annotate(frozen=frozen)
    pointer = newest.values_list("revision__digest", "frozen").first()
    if pointer is None:
        raise NoActiveRevision("No policy revision is active, so nothing is permitted.")
    if pointer[1]:
        raise PolicyFrozen("The policy is frozen, so nothing is permitted.")
    return load_program(pointer[0])


def active_digest() -> str:
    """Return the digest of the revision that decides now, frozen or not; empty before the first was activated."""
    return PolicyActivation.objects.order_by("-id").values_list("revision__digest", flat=True).first() or ""


def active_freeze() -> PolicyFreeze | None:
    """Return the freeze that denies everything now, if there is one."""
    return PolicyFreeze.objects.filter(active=True).first()


def find_revision(name: str) -> PolicyRevision:
    """Return the revision with this number, digest, or unique beginning of a digest. Raises RevisionNotFound."""
    if name == "active":
        found = active_revision()
        matches = [found] if found else []
    elif name.isdecimal() and len(name) < 8:
        matches = list(PolicyRevision.objects.filter(number=int(name)))
    else:
        matches = list(PolicyRevision.objects.filter(digest__startswith=name)[:2]) if len(name) >= 6 else []
    if len(matches) != 1:
        raise RevisionNotFound(f"There is no single policy revision '{name}'.")
    return matches[0]


def active_revision() -> PolicyRevision | None:
    """Return the active revision; None before the first activation."""
    activation = PolicyActivation.objects.select_related("revision").order_by("-id").first()
    return activation.revision if activation is not None else None


@lru_cache(maxsize=8)
def load_program(digest: str) -> PolicyProgram:
    """Return the program of a stored revision after verifying its signature and digest, once in this process.

    Raises NoActiveRevision when there is no such revision, RevisionCorrupt when it is not what was signed.
    """
    revision = PolicyRevision.objects.filter(digest=digest).first()
    if revision is None:
        raise NoActiveRevision(f"There is no policy revision {digest}.")
    return verified_program(revision)


def verified_program(revision: PolicyRevision) -> PolicyProgram:
    """Return the program of a revision. Raises RevisionCorrupt when signature, digest or content do not fit."""
    try:
        envelope = Envelope.from_json(revision.signature)
    except EnvelopeMalformed as error:
        raise RevisionCorrupt(f"The signature of revision {revision.digest} is not valid: {error}") from error
    verify_revision(digest=revision.digest, envelope=envelope, at=revision.created_at)
    return program_of(text=revision.content, digest=revision.digest)


def revision_rules(revision: PolicyRevision) -> tuple[RevisionRule, ...]:
    """Return the rules that a revision holds, by id. Raises RevisionCorrupt."""
    return rules_of(text=revision.content, digest=revision.digest)


def spec_of(rule: AbacRule) -> RuleSpec:
    """Return an ABAC rule in its typed form. Raises RuleInvalid when it no longer fits today's schema."""
    data = {
        "id": rule.slug,
        "effect": rule.effect,
        "actions": rule.actions,
        "condition": rule.condition,
        "reason_code": rule.reason_code,
        "message": rule.message,
        "obligations": rule.obligations,
    }
    return parse_rule(data, current_schema())
