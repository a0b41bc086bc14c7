"""Proposals: how versioned policy changes. One person proposes, another approves; a provable narrowing needs only one.

Consent levels use this, and licences of the registry. What is approved is one content and no other, on top of the
version that was in force when it was written; the database holds that nobody approves a widening of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import F, Q

from governance.audit.guards.frozen import FrozenColumns
from governance.audit.recording.declarations import Since
from governance.audit.recording.record import record
from governance.audit.recording.states import RecordedObject, State, StateEntry
from governance.audit.types import Actor
from governance.catalog.choices import Direction, ProposalState
from governance.catalog.errors import OwnProposal, ProposalClosed, ProposalEdited, ProposalInvalid
from governance.kernel import clock
from governance.kernel.canonical import Json, digest
from governance.kernel.ids import new_id

PERSON_CHARACTERS: Final = 150
REASON_CHARACTERS: Final = 500
COMMENT_CHARACTERS: Final = 1000


class Proposal(FrozenColumns):
    """A change of versioned policy on its way into force. Once it was decided on it never changes again (trigger).

    Subclasses add what it is about (`target`), the version that it starts from and the version that it became.
    """

    frozen = frozenset({"slug", "created_by", "created_at"})

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(help_text="What it changes, or is to be called.")
    reason = models.CharField(max_length=REASON_CHARACTERS, help_text="Why it should change; reviewers read this.")
    content = models.JSONField(help_text="All that the new version would say.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the content as canonical JSON (RFC 8785).")
    direction = models.CharField(max_length=8, choices=Direction.choices)
    state = models.CharField(max_length=12, choices=ProposalState.choices, default=ProposalState.OPEN)
    authors = ArrayField(models.CharField(max_length=PERSON_CHARACTERS), help_text="All who wrote any of it.")
    decided_by = models.CharField(max_length=PERSON_CHARACTERS, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=PERSON_CHARACTERS)
    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        abstract = True
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(authors__contains=[F("created_by")]), name="%(class)s_names_its_author"),
            models.CheckConstraint(
                condition=~Q(state=ProposalState.IN_FORCE)
                | Q(direction=Direction.NARROWER)
                | ~Q(authors__contains=[F("decided_by")]),
                name="%(class)s_approver_is_no_author",
            ),
            models.CheckConstraint(
                condition=Q(state=ProposalState.OPEN, decided_by="", decided_at__isnull=True)
                | (~Q(state=ProposalState.OPEN) & ~Q(decided_by="") & Q(decided_at__isnull=False)),
                name="%(class)s_decided_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slug}: {self.reason}"

    @property
    def is_open(self) -> bool:
        """Whether it still waits to be decided on."""
        return self.state == ProposalState.OPEN


class ProposalEvent(models.Model):
    """One step in the life of a proposal, with what was said about it. Append-only by trigger."""

    id = models.BigAutoField(primary_key=True)
    step = models.CharField(max_length=16)
    digest = models.CharField(max_length=64, help_text="The content at that moment.")
    person = models.CharField(max_length=PERSON_CHARACTERS)
    comment = models.CharField(max_length=COMMENT_CHARACTERS, blank=True)
    happened_at = models.DateTimeField(default=clock.now)

    class Meta:
        abstract = True
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.step} by {self.person}"


@dataclass(frozen=True, kw_only=True)
class ProposalChanged(StateEntry):
    """A step in the life of a proposal. Reasons and comments, the words of people, stay out of the ledger."""

    step: Annotated[str, "`proposed`, `revised`, `approved`, `narrowed`, `rejected` or `withdrawn`.", Since("0.2")]


P = TypeVar("P", bound=Proposal)


@dataclass(frozen=True, slots=True)
class Proposals(Generic[P]):
    """One kind of proposal: how its state is on record, by which kind of entry, and where its events are."""

    recorded: RecordedObject[P]
    entry: type[ProposalChanged]
    events: type[ProposalEvent]

    def lock_open(self, proposal: P) -> P:
        """Lock a proposal that waits to be decided on, and return it. Raises ProposalClosed."""
        locked = self.recorded.rows().select_for_update(of=("self",)).get(pk=proposal.pk)
        if not locked.is_open:
            raise ProposalClosed(f"The proposal is {locked.get_state_display().lower()} already.")
        return locked

    def opened(self, proposal: P, *, actor: Actor) -> P:
        """Write a new proposal of `actor`, and put that on record."""
        proposal.authors, proposal.created_by = [str(actor)], str(actor)
        _write(proposal, new=True)
        self._step(proposal, "proposed", before=None, actor=actor)
        return proposal

    def revised(self, locked: P, *, changed: Mapping[str, object], actor: Actor) -> P:
        """Write another content into a locked proposal; whoever does it is one of its authors from then on."""
        before = self.recorded.state(locked)
        for name, value in changed.items():
            setattr(locked, name, value)
        locked.authors = sorted({*locked.authors, str(actor)})
        locked.updated_at = clock.now()
        _write(locked)
        self._step(locked, "revised", before=before, actor=actor)
        return locked

    def decided(
        self, locked: P, *, state: ProposalState, step: str, actor: Actor, comment: str = "", **became: object
    ) -> P:
        """End a locked proposal in `state`; `became` are further columns, such as the version that it became."""
        before = self.recorded.state(locked)
        for name, value in became.items():
            setattr(locked, name, value)
        locked.state, locked.decided_by = state, str(actor)
        locked.decided_at = locked.updated_at = clock.now()
        _write(locked)
        self._step(locked, step, before=before, actor=actor, comment=comment)
        return locked

    @transaction.atomic
    def reject(self, *, proposal: P, actor: Actor, comment: str) -> P:
        """End an open proposal without effect, and say why. Raises ProposalClosed, ProposalInvalid."""
        if not comment.strip():
            raise ProposalInvalid("Say why it is rejected; its authors read this.", details={"field": "comment"})
        locked = self.lock_open(proposal)
        return self.decided(locked, state=ProposalState.REJECTED, step="rejected", actor=actor, comment=comment)

    @transaction.atomic
    def withdraw(self, *, proposal: P, actor: Actor, comment: str = "") -> P:
        """Take an open proposal back. Raises ProposalClosed, and OwnProposal for anybody but its authors."""
        locked = self.lock_open(proposal)
        if str(actor) not in locked.authors:
            raise OwnProposal("Only an author takes a proposal back. Somebody else can reject it.")
        return self.decided(locked, state=ProposalState.WITHDRAWN, step="withdrawn", actor=actor, comment=comment)

    def _step(self, proposal: P, step: str, *, before: State | None, actor: Actor, comment: str = "") -> None:
        event: Any = self.events
        event.objects.create(proposal=proposal, step=step, digest=proposal.digest, person=str(actor), comment=comment)
        entry = self.entry(step=step, before=before, after=self.recorded.state(proposal))
        record(entry, subject=self.recorded.ref(proposal), actor=actor)


def _write(proposal: Proposal, *, new: bool = False) -> None:
    proposal.save(force_insert=new)


def check_approval(locked: Proposal, *, digest: str, actor: Actor) -> str:
    """Return the step that `actor` takes by putting the content with this digest into force.

    That is `approved` for somebody who wrote none of it, and `narrowed` for an author of what is provably narrower.
    Raises ProposalEdited when the content is no longer what the person saw, and OwnProposal.
    """
    if locked.digest != digest:
        raise ProposalEdited("The proposal was edited since you looked at it. Look at it again.")
    if actor.type == "user" and str(actor) not in locked.authors:
        return "approved"
    if locked.direction == Direction.NARROWER:
        return "narrowed"
    raise OwnProposal("You wrote a part of this proposal, so somebody else must approve it.")


def check_reason(reason: str) -> str:
    """Return the reason of a proposal without blanks around it. Raises ProposalInvalid for none or a long one."""
    said = reason.strip()
    if not 1 <= len(said) <= REASON_CHARACTERS:
        message = f"A reason of 1 to {REASON_CHARACTERS} characters is needed; reviewers read it."
        raise ProposalInvalid(message, details={"field": "reason"})
    return said


def content_digest(content: Mapping[str, Json]) -> str:
    """Return the SHA-256 of a content as canonical JSON, by which reviewers approve exactly what they saw."""
    return digest(content)


def proposal_state(proposal: Proposal, *, base: Json) -> State:
    """Return what the ledger says of a proposal; `base` names the version that it starts from, or is null."""
    return {
        "slug": proposal.slug,
        "base": base,
        "content_sha256": proposal.digest,
        "direction": str(proposal.direction),
        "state": str(proposal.state),
        "authors": [*proposal.authors],
        "decided_by": proposal.decided_by or None,
    }
