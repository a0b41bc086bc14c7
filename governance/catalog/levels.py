"""Use cases of consent levels: proposing a version, and putting it into force.

Locks are taken in this order: consent levels as a whole, proposal, level, creators by id. A grant holds its level's row
too, so that it is of the version that was in force before a change, and loses what the change takes, or of the new one.
"""

from collections.abc import Collection

from django.db import transaction
from django.db.models import F

from governance.audit.evidence.receipts import record_with_receipt
from governance.audit.guards.advisory_locks import AdvisoryLock, wait_for_lock
from governance.audit.types import Actor
from governance.catalog.choices import ProposalState
from governance.catalog.entries import ConsentLevelProposalChanged, ConsentLevelVersionInForce
from governance.catalog.errors import NothingChanged, ProposalStale
from governance.catalog.level_terms import LevelContent, direction_of, said_changes
from governance.catalog.models import (
    ConsentGrant,
    ConsentLevel,
    ConsentLevelProposal,
    ConsentLevelProposalEvent,
    ConsentLevelVersion,
    Creator,
)
from governance.catalog.proposals import Proposals, check_approval, check_reason, content_digest
from governance.catalog.receipts import level_version_statement
from governance.catalog.states import CONSENT_LEVEL_PROPOSALS, CONSENT_LEVELS, level_state
from governance.catalog.terms import level_invalid
from governance.kernel.ids import new_id

LEVEL_PROPOSALS = Proposals(
    recorded=CONSENT_LEVEL_PROPOSALS, entry=ConsentLevelProposalChanged, events=ConsentLevelProposalEvent
)


def propose_level(
    *, slug: str, content: LevelContent, base: ConsentLevelVersion | None, reason: str, actor: Actor
) -> ConsentLevelProposal:
    """Propose what the consent level `slug` shall say, and return the proposal.

    `base` is the version that the author changes, None for a new level. Raises ProposalInvalid, ConsentLevelInvalid,
    NothingChanged, and ProposalStale when another version came into force meanwhile.
    """
    said = check_reason(reason)
    with transaction.atomic():
        level = _level_to_change(slug, base)
        proposal = ConsentLevelProposal(slug=slug, level=level, reason=said, **_written(content, base))
        return LEVEL_PROPOSALS.opened(proposal, actor=actor)


def revise_level_proposal(
    *,
    proposal: ConsentLevelProposal,
    content: LevelContent,
    base: ConsentLevelVersion | None,
    reason: str,
    actor: Actor,
) -> ConsentLevelProposal:
    """Edit an open proposal, or write it anew on top of the version in force; `actor` becomes one of its authors.

    Raises ProposalClosed and what `propose_level` raises.
    """
    said = check_reason(reason)
    with transaction.atomic():
        locked = LEVEL_PROPOSALS.lock_open(proposal)
        _level_to_change(locked.slug, base)
        return LEVEL_PROPOSALS.revised(locked, changed={"reason": said, **_written(content, base)}, actor=actor)


def put_level_in_force(
    *, proposal: ConsentLevelProposal, digest: str, actor: Actor, comment: str = ""
) -> ConsentLevelVersion:
    """Put exactly the content with this digest into force as a new version, and return it.

    Somebody who wrote none of it may do so, and an author too where it is provably narrower. What it no longer permits
    is lost to earlier grants at once, and the epochs of the creators concerned go up; what it permits beyond the
    version before holds for grants from now on. Raises ProposalClosed, ProposalEdited, OwnProposal, ProposalStale,
    ConsentLevelInvalid.
    """
    with transaction.atomic():
        wait_for_lock(AdvisoryLock.CONSENT_LEVELS)
        locked = LEVEL_PROPOSALS.lock_open(proposal)
        step = check_approval(locked, digest=digest, actor=actor)
        content = LevelContent.from_json(locked.content)
        _refuse_taken_name(content.name, locked.slug)
        level = _level_to_change(locked.slug, locked.base)
        before = level_state(level) if level is not None else None
        version = _new_version(level, locked.slug, content)
        creators = _narrow_earlier(version)
        old, new = set(locked.base.pairs if locked.base else ()), set(content.pairs)
        entry = ConsentLevelVersionInForce(
            before=before,
            after=level_state(version.level),
            proposal=locked.id,
            direction=locked.direction,
            authors=tuple(locked.authors),
            approved_by=str(actor),
            gained=tuple(sorted(new - old)),
            lost=tuple(sorted(old - new)),
            creators=creators,
        )
        record_with_receipt(
            entry,
            subject=CONSENT_LEVELS.ref(version.level),
            actor=actor,
            **level_version_statement(version, entry.to_data()),
        )
        LEVEL_PROPOSALS.decided(
            locked,
            state=ProposalState.IN_FORCE,
            step=step,
            actor=actor,
            comment=comment,
            level=version.level,
            version=version,
        )
    return version


def changes_since(proposal: ConsentLevelProposal) -> str:
    """Return in words what changed since the version that an open proposal starts from; empty while it is in force."""
    level = ConsentLevel.objects.select_related("in_force").filter(slug=proposal.slug).first()
    if not proposal.is_open or (level.in_force_id if level else None) == proposal.base_id:
        return ""
    return _stale(level, proposal.base)


def _level_to_change(slug: str, base: ConsentLevelVersion | None) -> ConsentLevel | None:
    """Lock the level for the rest of the transaction. Raises ProposalStale unless `base` is its version in force."""
    level = ConsentLevel.objects.select_for_update(no_key=True).filter(slug=slug).first()
    if (level.in_force_id if level else None) != (base.pk if base else None):
        raise ProposalStale(_stale(level, base))
    return level


def _stale(level: ConsentLevel | None, base: ConsentLevelVersion | None) -> str:
    if level is None:
        return "There is no such consent level."
    now = ConsentLevelVersion.objects.get(pk=level.in_force_id)
    if base is None:
        return f"There is a consent level “{level.slug}” already. Propose a change of it instead."
    changes = said_changes(LevelContent.of(base), LevelContent.of(now))
    return f"Version {now.number} is in force since: {changes}. Write the proposal anew on top of it."


def _written(content: LevelContent, base: ConsentLevelVersion | None) -> dict[str, object]:
    """Return the columns of a proposal that follow from its content and the version it starts from."""
    before = LevelContent.of(base) if base is not None else None
    if content == before:
        raise NothingChanged("The version in force says exactly this.")
    text = content.to_json()
    return {
        "content": text,
        "digest": content_digest(text),
        "direction": direction_of(before, content),
        "base": base,
    }


def _refuse_taken_name(name: str, slug: str) -> None:
    """Refuse the name of another level, also one that it had before: creators must not mistake one for the other."""
    if ConsentLevelVersion.objects.filter(name=name).exclude(level__slug=slug).exists():
        raise level_invalid("name", "Another consent level has or had this name.")


def _new_version(level: ConsentLevel | None, slug: str, content: LevelContent) -> ConsentLevelVersion:
    number = level.versions.count() + 1 if level is not None else 1
    version_id = new_id()
    if level is None:
        level = ConsentLevel.objects.create(slug=slug, in_force_id=version_id)
    version = ConsentLevelVersion.objects.create(
        id=version_id,
        level=level,
        number=number,
        name=content.name,
        rank=content.rank,
        description=content.description,
        pairs=[*content.pairs],
        effective=[*content.pairs],
    )
    level.in_force = version
    level.save(update_fields=["in_force"])
    return version


def _narrow_earlier(version: ConsentLevelVersion) -> int:
    """Take from earlier versions what this one does not permit. Returns how many creators had granted any of it."""
    narrowed = []
    for earlier in ConsentLevelVersion.objects.filter(level=version.level, number__lt=version.number):
        left = [pair for pair in earlier.effective if pair in version.pairs]
        if left != earlier.effective:
            earlier.effective = left
            earlier.save(update_fields=["effective"])
            narrowed.append(earlier)
    return _raise_epochs_of_users(narrowed)


def _raise_epochs_of_users(versions: Collection[ConsentLevelVersion]) -> int:
    users = ConsentGrant.objects.filter(level_version__in=versions).values("creator")
    locked = Creator.objects.select_for_update(no_key=True).filter(id__in=users).order_by("id")
    found = list(locked.values_list("id", flat=True))
    return Creator.objects.filter(id__in=found).update(consent_epoch=F("consent_epoch") + 1)
