"""Use cases of licences: proposing a version, and putting it into force.

Locks are taken in this order: proposal, licence. Whoever releases an output shares the licence's row until it is on
record, so a new version comes either before, and is seen, or after.
"""

from django.db import transaction

from governance.audit.evidence.receipts import record_with_receipt
from governance.audit.types import Actor
from governance.catalog.choices import ProposalState
from governance.catalog.errors import NothingChanged, ProposalStale
from governance.catalog.proposals import Proposals, check_approval, check_reason, content_digest
from governance.kernel.ids import new_id
from governance.registry.entries import LicenceProposalChanged, LicenceVersionInForce
from governance.registry.licence_terms import (
    LicenceContent,
    direction_of_licence,
    licence_changes,
    refuse_bad_obligations,
)
from governance.registry.models import Licence, LicenceProposal, LicenceProposalEvent, LicenceVersion
from governance.registry.receipts import licence_version_statement
from governance.registry.states import LICENCE_PROPOSALS, LICENCES, licence_state

LICENCE_WAY = Proposals(recorded=LICENCE_PROPOSALS, entry=LicenceProposalChanged, events=LicenceProposalEvent)


def propose_licence(
    *, slug: str, content: LicenceContent, base: LicenceVersion | None, reason: str, actor: Actor
) -> LicenceProposal:
    """Propose what the licence `slug` shall say, and return the proposal.

    `content` comes from `checked_licence`; `base` is the version that the author changes, None for a new licence.
    Raises ProposalInvalid, LicenceInvalid, NothingChanged, and ProposalStale when another version came into force
    meanwhile.
    """
    said = check_reason(reason)
    with transaction.atomic():
        licence = _licence_to_change(slug, base)
        proposal = LicenceProposal(slug=slug, licence=licence, reason=said, **_written(content, base))
        return LICENCE_WAY.opened(proposal, actor=actor)


def revise_licence_proposal(
    *, proposal: LicenceProposal, content: LicenceContent, base: LicenceVersion | None, reason: str, actor: Actor
) -> LicenceProposal:
    """Edit an open proposal, or write it anew on top of the version in force; `actor` becomes one of its authors.

    Raises ProposalClosed and what `propose_licence` raises.
    """
    said = check_reason(reason)
    with transaction.atomic():
        locked = LICENCE_WAY.lock_open(proposal)
        _licence_to_change(locked.slug, base)
        return LICENCE_WAY.revised(locked, changed={"reason": said, **_written(content, base)}, actor=actor)


def put_licence_in_force(*, proposal: LicenceProposal, digest: str, actor: Actor, comment: str = "") -> LicenceVersion:
    """Put exactly the content with this digest into force as a new version, and return it.

    Somebody who wrote none of it may do so, and an author too where it is provably narrower. Permits that rest on the
    version before are void. Raises ProposalClosed, ProposalEdited, OwnProposal, ProposalStale, and
    LicenceInvalid for obligations that no worker carries out.
    """
    with transaction.atomic():
        locked = LICENCE_WAY.lock_open(proposal)
        step = check_approval(locked, digest=digest, actor=actor)
        content = LicenceContent.from_json(locked.content)
        refuse_bad_obligations(content)
        licence = _licence_to_change(locked.slug, locked.base)
        before = licence_state(licence) if licence is not None else None
        version = _new_version(licence, locked.slug, content)
        entry = LicenceVersionInForce(
            before=before,
            after=licence_state(version.licence),
            proposal=locked.id,
            direction=locked.direction,
            authors=tuple(locked.authors),
            approved_by=str(actor),
        )
        subject = LICENCES.ref(version.licence)
        said = licence_version_statement(version, entry.to_data())
        record_with_receipt(entry, subject=subject, actor=actor, **said)
        LICENCE_WAY.decided(
            locked,
            state=ProposalState.IN_FORCE,
            step=step,
            actor=actor,
            comment=comment,
            licence=version.licence,
            version=version,
        )
    return version


def licence_changes_since(proposal: LicenceProposal) -> str:
    """Return in words what changed since the version that an open proposal starts from; empty while it is in force."""
    licence = Licence.objects.filter(slug=proposal.slug).first()
    if not proposal.is_open or (licence.in_force_id if licence else None) == proposal.base_id:
        return ""
    return _stale(licence, proposal.base)


def _licence_to_change(slug: str, base: LicenceVersion | None) -> Licence | None:
    """Lock the licence for the rest of the transaction. Raises ProposalStale unless `base` is its version in force."""
    licence = Licence.objects.select_for_update(no_key=True).filter(slug=slug).first()
    if (licence.in_force_id if licence else None) != (base.pk if base else None):
        raise ProposalStale(_stale(licence, base))
    return licence


def _stale(licence: Licence | None, base: LicenceVersion | None) -> str:
    if licence is None:
        return "There is no such licence."
    now = LicenceVersion.objects.get(pk=licence.in_force_id)
    if base is None:
        return f"There is a licence “{licence.slug}” already. Propose a change of it instead."
    changes = licence_changes(LicenceContent.of(base), LicenceContent.of(now))
    return f"Version {now.number} is in force since: {changes}. Write the proposal anew on top of it."


def _written(content: LicenceContent, base: LicenceVersion | None) -> dict[str, object]:
    """Return the columns of a proposal that follow from its content and the version it starts from."""
    refuse_bad_obligations(content)
    before = LicenceContent.of(base) if base is not None else None
    text = content.to_json()
    if before is not None and text == before.to_json():
        raise NothingChanged("The version in force says exactly this.")
    direction = direction_of_licence(before, content)
    return {"content": text, "digest": content_digest(text), "direction": direction, "base": base}


def _new_version(licence: Licence | None, slug: str, content: LicenceContent) -> LicenceVersion:
    number = licence.versions.count() + 1 if licence is not None else 1
    terms = {
        "name": content.name,
        "purposes": [*content.purposes],
        "regions": [*content.regions],
        "partners": [*content.partners],
        "valid_from": content.valid_from,
        "valid_until": content.valid_until,
        "obligations": [dict(each) for each in content.obligations],
        "terms_url": content.terms_url,
    }
    version_id = new_id()
    if licence is None:
        licence = Licence.objects.create(slug=slug, in_force_id=version_id, **terms)
    version = LicenceVersion.objects.create(id=version_id, licence=licence, number=number, **terms)
    licence.in_force = version
    for name, value in terms.items():
        setattr(licence, name, value)
    licence.save(update_fields=["in_force", *terms])
    return version
