"""Export and import of revisions: the same content has the same digest in every installation."""

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from governance.audit.types import Actor
from governance.kernel.canonical import sha256_hex
from governance.kernel.json_reading import read_json_object
from governance.rulebook.archive import FORMAT, revision_document
from governance.rulebook.content import ABAC, RevisionRule, rules_of
from governance.rulebook.errors import ImportRefused, RevisionCorrupt
from governance.rulebook.lifecycle import open_draft
from governance.rulebook.locks import lock_policy
from governance.rulebook.models import AbacRule, PolicyDraft, PolicyRevision
from governance.rulebook.queries import spec_of
from governance.rulebook.rules import rule_json
from governance.rulebook.services import create_rule, current_content, update_rule


def export_revision(revision: PolicyRevision) -> bytes:
    """Return a revision as it is archived: canonical JSON (RFC 8785) of its content and signature."""
    return revision_document(revision)


@transaction.atomic
def import_revision(*, data: bytes, title: str, user: AbstractBaseUser) -> PolicyDraft:
    """Replace this installation's rules by those of an exported revision, and open a draft with its digest.

    It has to be checked, replayed and approved here: another installation's signature is not accepted.
    Own rules that the revision does not hold are switched off, not removed. Raises ImportRefused when the same rules
    would not be the same revision here (other system rules, schema or compiler), and what `open_draft` raises.
    """
    digest, text = _read(data)
    lock_policy()
    wanted = {rule.spec.id: rule for rule in _rules(text, digest) if rule.origin == ABAC}
    stored = {rule.slug: rule for rule in AbacRule.objects.all()}
    for rule_id, rule in wanted.items():
        if rule_id not in stored:
            create_rule(spec=rule.spec, enabled=True, actor_user=user)
        elif not stored[rule_id].enabled or rule_json(spec_of(stored[rule_id])) != rule_json(rule.spec):
            update_rule(rule=stored[rule_id], spec=rule.spec, enabled=True, actor_user=user)
    for slug, present in stored.items():
        if slug not in wanted and present.enabled:
            update_rule(rule=present, spec=spec_of(present), enabled=False, actor_user=user)
    if current_content().digest != digest:
        raise ImportRefused(
            "The same rules are another revision here: the system rules, the attribute schema or the compiler differ."
        )
    return open_draft(title=title, note=f"Imported revision {digest}", actor=Actor("user", str(user.pk)))


def _read(data: bytes) -> tuple[str, str]:
    try:
        document = read_json_object(data)
        found, digest, text = document["format"], document["digest"], document["content"]
    except (ValueError, LookupError, TypeError) as error:
        raise ImportRefused(f"This is not an exported revision: {error}") from error
    if found != FORMAT or not isinstance(text, str) or sha256_hex(text.encode()) != digest:
        raise ImportRefused("The exported revision is not whole: its content has another digest.")
    return digest, text


def _rules(text: str, digest: str) -> tuple[RevisionRule, ...]:
    try:
        return rules_of(text=text, digest=digest)
    except RevisionCorrupt as error:
        raise ImportRefused(error.message) from error
