"""Kinds of ledger entries of the rulebook: rules, revisions, drafts and freezes."""

from dataclasses import dataclass
from typing import Annotated, Self

from governance.audit.entries import StoredObject, object_facts
from governance.audit.models import WormReference
from governance.audit.recording.declarations import Entry, entry
from governance.audit.recording.states import RecordedObject, State, StateEntry, recorded_object
from governance.kernel.canonical import Json, canonical_json, digest
from governance.rulebook.models import AbacRule, PolicyRevision

#: A condition before and one after a change must fit into one entry (`recording.entries.MAX_ENTRY_BYTES`).
MAX_CONDITION_BYTES = 28_000


def rule_state(rule: AbacRule) -> State:
    """Return the recorded state of an ABAC rule. Who wrote it is the actor of the entry."""
    return {
        "slug": rule.slug,
        "effect": rule.effect,
        "actions": [*rule.actions],
        "condition": condition_on_record(rule.condition),
        "reason_code": rule.reason_code,
        "message": rule.message,
        "obligations": rule.obligations,
        "enabled": rule.enabled,
    }


def condition_on_record(condition: Json) -> Json:
    """Return a condition as recorded: itself, or its SHA-256 if it is too long for an entry."""
    return condition if len(canonical_json(condition)) <= MAX_CONDITION_BYTES else {"sha256": digest(condition)}


RULE = recorded_object(
    RecordedObject(
        subject="rule",
        noun="ABAC rule",
        rows=AbacRule.objects.all,
        key=lambda rule: str(rule.pk),
        slug=lambda rule: rule.slug,
        state=rule_state,
    )
)


@dataclass(frozen=True, kw_only=True)
class RuleWritten(StateEntry):
    """The common fields of entries about an ABAC rule that was written. It decides once a revision holds it."""

    rule: Annotated[str, "Slug of the rule."]
    effect: Annotated[str, "`permit` or `deny`."]
    enabled: Annotated[bool, "Whether the next revision holds it."]
    digest: Annotated[str, "SHA-256 of the rule as canonical JSON, in the form that revisions hold."]


@entry("rule.created", subject="rule")
class RuleCreated(RuleWritten):
    """An ABAC rule was created."""


@entry("rule.updated", subject="rule")
class RuleUpdated(RuleWritten):
    """An ABAC rule was changed, enabled or disabled."""


@entry("rule.deleted", subject="rule")
class RuleDeleted(StateEntry):
    """An ABAC rule was deleted. It stops deciding once a revision without it is active."""

    rule: Annotated[str, "Slug of the rule."]


@entry("rule.adopted", subject="rule", since="0.2")
class RuleAdopted(StateEntry):
    """An upgrade recorded a rule that had no entry with its whole state."""


@dataclass(frozen=True, kw_only=True)
class DraftStep(Entry):
    """The common fields of entries about one step in the life of a policy draft; the kind names the step."""

    number: Annotated[int, "Number of the draft."]
    digest: Annotated[str, "SHA-256 of the draft's content."]
    state: Annotated[str, "The draft's state after the step."]
    base: Annotated[str, "Digest of the revision that was active when its rules were taken; empty for none."]

    @classmethod
    def step(cls) -> str:
        """Return the name of the step, such as "approved"."""
        return cls.declaration.kind.removeprefix("draft.")


@entry("draft.opened", subject="draft")
class DraftOpened(DraftStep):
    """A draft of the current rules was opened."""


@entry("draft.refreshed", subject="draft")
class DraftRefreshed(DraftStep):
    """A draft was updated to the current rules, which voids its approval."""


@entry("draft.check_failed", subject="draft")
class DraftCheckFailed(DraftStep):
    """A draft was linted, compiled and tried on every engine, and has problems."""


@entry("draft.checked", subject="draft")
class DraftChecked(DraftStep):
    """A draft was linted, compiled and tried on every engine, and has no problem."""


@entry("draft.replayed", subject="draft")
class DraftReplayed(DraftStep):
    """A draft was replayed against recorded decisions."""


@entry("draft.submitted", subject="draft")
class DraftSubmitted(DraftStep):
    """A draft was submitted for review."""


@entry("draft.approved", subject="draft")
class DraftApproved(DraftStep):
    """A person who wrote none of it approved a draft. The actor is the approver."""


@entry("draft.rejected", subject="draft")
class DraftRejected(DraftStep):
    """A draft was rejected, or withdrawn by its authors."""


@entry("draft.activated", subject="draft")
class DraftActivated(DraftStep):
    """A draft became the active revision."""


@entry("draft.superseded", subject="draft")
class DraftSuperseded(DraftStep):
    """Another revision became active in place of a draft's."""


@entry("draft.restored", subject="draft")
class DraftRestored(DraftStep):
    """A rollback made a draft's revision the active one again."""


@entry("revision.published", subject="revision")
class RevisionPublished(Entry):
    """A policy revision was created and signed. The subject is its digest."""

    number: Annotated[int, "Number of the revision."]
    digest: Annotated[str, "SHA-256 of its content, which is its name."]
    rules: Annotated[int, "How many rules it has."]

    @classmethod
    def of(cls, revision: PolicyRevision) -> Self:
        """Return the entry about a new revision."""
        return cls(number=revision.number, digest=revision.digest, rules=revision.rule_count)


@entry("revision.anchored", subject="revision")
class RevisionAnchored(StoredObject):
    """A policy revision was written to WORM storage, or is kept there for longer, before its activation."""

    @classmethod
    def of(cls, reference: WormReference) -> Self:
        """Return the entry about the WORM reference of a revision."""
        return cls(**object_facts(reference))


@entry("revision.activated", subject="revision", receipt="policy-activation/v1")
class RevisionActivated(Entry):
    """A policy revision became active."""

    number: Annotated[int, "Number of the revision."]
    digest: Annotated[str, "SHA-256 of its content, which is its name."]
    rules: Annotated[int, "How many rules it has."]
    kind: Annotated[str, "How it came into force: reviewed, unreviewed or as a rollback."]
    replaced: Annotated[str, "Digest of the revision before; empty for the first one."]


@entry("policy.frozen", subject="freeze")
class FreezeStarted(Entry):
    """Policy was frozen: everything is denied from the next decision on."""

    reason_sha256: Annotated[str, "SHA-256 of the reason, which stays beside the log because it may name people."]


@entry("policy.lift_asked", subject="freeze", unmatched="The lift that follows is matched.")
class FreezeLiftAsked(Entry):
    """The end of a freeze was requested; a second person must confirm it."""


@entry("policy.lift_withdrawn", subject="freeze", unmatched="It takes back a request, and leaves no row.")
class FreezeLiftWithdrawn(Entry):
    """The request to lift a freeze was withdrawn."""


@entry("policy.lifted", subject="freeze")
class FreezeLifted(Entry):
    """A second person confirmed the end of a freeze; policy decides again."""

    asked_by: Annotated[str, "Who asked for it, as type:id."]
