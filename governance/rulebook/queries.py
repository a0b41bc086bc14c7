"""Reads of the rulebook."""

from functools import lru_cache

from governance.engines.types import PolicyProgram
from governance.kernel.dsse import Envelope, EnvelopeMalformed, verify_envelope
from governance.kernel.keys import KeyPurpose, SignatureInvalid, key_ring
from governance.rulebook.content import RevisionRule, program_of, rules_of
from governance.rulebook.errors import NoActiveRevision, RevisionCorrupt
from governance.rulebook.models import AbacRule, PolicyActivation, PolicyRevision
from governance.rulebook.rules import parse_rule
from governance.rulebook.schema import current_schema
from governance.rulebook.signing import PAYLOAD_TYPE, signed_payload
from governance.rulebook.types import RuleSpec


def active_program() -> PolicyProgram:
    """Return the program of the active revision: one small query, then this process's copy of that revision.

    Raises NoActiveRevision, or RevisionCorrupt when what is stored is not what was signed.
    """
    digest = PolicyActivation.objects.order_by("-id").values_list("revision__digest", flat=True).first()
    if digest is None:
        raise NoActiveRevision("No policy revision is active, so nothing is permitted.")
    return load_program(digest)


def active_revision() -> PolicyRevision | None:
    """Return the revision that decides now, or None before the first was activated."""
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
        payload = verify_envelope(
            key_ring=key_ring.get(),
            purpose=KeyPurpose.REVISION,
            envelope=Envelope.from_json(revision.signature),
            expected_payload_type=PAYLOAD_TYPE,
            at=revision.created_at,
        )
    except (SignatureInvalid, EnvelopeMalformed) as error:
        raise RevisionCorrupt(f"The signature of revision {revision.digest} is not valid: {error}") from error
    if payload != signed_payload(revision.digest):
        raise RevisionCorrupt(f"The signature of revision {revision.digest} is for something else.")
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
