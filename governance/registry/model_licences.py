"""Moving a model to another licence by a proposal, which a second person approves unless it is provably narrower.

Locks are taken in this order: proposal, model, licences by id. Whoever releases an output shares the model's row until
it is on record, so the move comes either before, and is seen, or after.
"""

from django.db import transaction

from governance.audit.recording.record import record
from governance.audit.types import Actor
from governance.catalog.choices import Direction, ProposalState
from governance.catalog.errors import NothingChanged, ProposalStale
from governance.catalog.proposals import Proposals, check_approval, check_reason, content_digest
from governance.kernel.canonical import Json
from governance.registry.entries import ModelLicenceChanged, ModelLicenceProposalChanged
from governance.registry.licence_terms import LicenceContent, licence_changes, permits_no_more, refuse_bad_obligations
from governance.registry.models import (
    Licence,
    LicenceVersion,
    Model,
    ModelLicenceProposal,
    ModelLicenceProposalEvent,
)
from governance.registry.states import MODEL_LICENCE_PROPOSALS, MODELS, name_of_version

MODEL_LICENCE_WAY = Proposals(
    recorded=MODEL_LICENCE_PROPOSALS, entry=ModelLicenceProposalChanged, events=ModelLicenceProposalEvent
)


def propose_model_licence(*, model: Model, licence: Licence, reason: str, actor: Actor) -> ModelLicenceProposal:
    """Propose that a model runs under another licence, both as they are now, and return the proposal.

    Raises ProposalInvalid, NothingChanged for the licence that it has, and LicenceInvalid for obligations that no
    worker carries out.
    """
    said = check_reason(reason)
    with transaction.atomic():
        locked = _lock(model)
        proposal = ModelLicenceProposal(slug=locked.slug, model=locked, reason=said, **_written(locked, licence))
        return MODEL_LICENCE_WAY.opened(proposal, actor=actor)


def revise_model_licence_proposal(
    *, proposal: ModelLicenceProposal, licence: Licence, reason: str, actor: Actor
) -> ModelLicenceProposal:
    """Edit an open proposal, or write it anew on top of what is in force; `actor` becomes one of its authors.

    Raises ProposalClosed and what `propose_model_licence` raises.
    """
    said = check_reason(reason)
    with transaction.atomic():
        locked = MODEL_LICENCE_WAY.lock_open(proposal)
        changed = {"reason": said, **_written(_lock(locked.model), licence)}
        return MODEL_LICENCE_WAY.revised(locked, changed=changed, actor=actor)


def put_model_licence_in_force(
    *, proposal: ModelLicenceProposal, digest: str, actor: Actor, comment: str = ""
) -> LicenceVersion:
    """Put a model under exactly the version of the licence with this digest, and return that version.

    Somebody who wrote none of the proposal may do so, and an author too where that licence permits no more than the
    present one. Permits that rest on the licence before are void. Raises ProposalClosed, ProposalEdited, OwnProposal,
    LicenceInvalid, and ProposalStale when the model moved or either licence changed meanwhile.
    """
    with transaction.atomic():
        locked = MODEL_LICENCE_WAY.lock_open(proposal)
        step = check_approval(locked, digest=digest, actor=actor)
        model = _lock(locked.model)
        _hold(model.licence, locked.wanted.licence)
        stale = model_licence_changes_since(locked)
        if stale:
            raise ProposalStale(stale)
        refuse_bad_obligations(LicenceContent.of(locked.wanted))
        before = MODELS.state(model)
        model.licence = locked.wanted.licence
        model.save(update_fields=["licence"])
        entry = ModelLicenceChanged(
            before=before,
            after=MODELS.state(model),
            licence_before=name_of_version(locked.base),
            licence_after=name_of_version(locked.wanted),
            proposal=locked.id,
            direction=locked.direction,
            authors=tuple(locked.authors),
            approved_by=str(actor),
        )
        record(entry, subject=MODELS.ref(model), actor=actor)
        MODEL_LICENCE_WAY.decided(locked, state=ProposalState.IN_FORCE, step=step, actor=actor, comment=comment)
    return locked.wanted


def model_licence_changes_since(proposal: ModelLicenceProposal) -> str:
    """Return in words what changed since an open proposal was written; empty while both licences are as they were."""
    if not proposal.is_open:
        return ""
    present = Licence.objects.select_related("in_force").get(models=proposal.model_id)
    if present.pk != proposal.base.licence_id:
        return f"The model runs under “{present}” since. Write the proposal anew on top of it."
    wanted = Licence.objects.select_related("in_force").get(pk=proposal.wanted.licence_id)
    return _newer(present, proposal.base) or _newer(wanted, proposal.wanted)


def said_of(version: LicenceVersion) -> dict[str, Json]:
    """Return all that a proposal says about the version of a licence that a model is to run under."""
    return {"licence": version.licence.slug, "version": version.number, **LicenceContent.of(version).to_json()}


def _newer(licence: Licence, written: LicenceVersion) -> str:
    if licence.in_force_id == written.pk:
        return ""
    changes = licence_changes(LicenceContent.of(written), LicenceContent.of(licence.in_force))
    return (
        f"Version {licence.in_force.number} of “{licence}” is in force since: {changes}. Write the proposal anew on "
        "top of it."
    )


def _lock(model: Model) -> Model:
    return MODELS.rows().select_for_update(of=("self",), no_key=True).get(pk=model.pk)


def _hold(*licences: Licence) -> None:
    """Lock the licences until the transaction ends, so that none changes beside the move."""
    keys = [licence.pk for licence in licences]
    list(Licence.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk"))


def _written(model: Model, licence: Licence) -> dict[str, object]:
    """Return the columns of a proposal that follow from the model's licence now and the wanted one."""
    if model.licence_id == licence.pk:
        raise NothingChanged("The model runs under this licence.")
    base = LicenceVersion.objects.select_related("licence").get(pk=model.licence.in_force_id)
    wanted = LicenceVersion.objects.select_related("licence").get(
        pk=Licence.objects.values_list("in_force", flat=True).get(pk=licence.pk)
    )
    after = LicenceContent.of(wanted)
    refuse_bad_obligations(after)
    narrower = permits_no_more(LicenceContent.of(base), after)
    text = said_of(wanted)
    return {
        "content": text,
        "digest": content_digest(text),
        "direction": Direction.NARROWER if narrower else Direction.WIDER,
        "base": base,
        "wanted": wanted,
    }
