"""Moving a model to another licence: proposed by one person, approved by another, narrower by one alone."""

import json

import pytest
from django.db import IntegrityError, transaction

from governance.audit.models import OutboxEntry
from governance.audit.tally import Tally
from governance.catalog.choices import Direction, ProposalState
from governance.catalog.errors import (
    NothingChanged,
    OwnProposal,
    ProposalClosed,
    ProposalEdited,
    ProposalInvalid,
    ProposalStale,
)
from governance.kernel.vocabulary import Purpose
from governance.registry.errors import LicenceInvalid
from governance.registry.model_licences import (
    MODEL_LICENCE_WAY,
    model_licence_changes_since,
    propose_model_licence,
    put_model_licence_in_force,
    revise_model_licence_proposal,
)
from governance.registry.model_services import set_model_licence
from governance.registry.models import Licence, Model, ModelLicenceProposal
from governance.registry.states import MODELS
from governance.workflows.reconcile.run import database_faults
from tests.factories.levels import APPROVER, AUTHOR
from tests.factories.licences import change_licence, make_licence
from tests.factories.registry import ModelFactory
from tests.factories.states import put_on_record

pytestmark = pytest.mark.django_db


@pytest.fixture
def wide() -> Licence:
    return make_licence("wide", name="Wide", purposes=list(Purpose))


@pytest.fixture
def strict(wide: Licence) -> Licence:
    """Return a licence that permits less, and begins no earlier."""
    return make_licence("strict", name="Strict", purposes=[Purpose.RESEARCH])


@pytest.fixture
def model(strict: Licence) -> Model:
    return ModelFactory(licence=strict)


def propose(model: Model, licence: Licence) -> ModelLicenceProposal:
    return propose_model_licence(model=model, licence=licence, reason="The owner agreed", actor=AUTHOR)


def approve(proposal: ModelLicenceProposal, actor=APPROVER):
    return put_model_licence_in_force(proposal=proposal, digest=proposal.digest, actor=actor)


def test_a_widening_is_put_into_force_by_somebody_else(model: Model, wide: Licence) -> None:
    before = MODELS.state(model)
    proposal = propose(model, wide)
    assert (proposal.direction, proposal.version) == (Direction.WIDER, None)
    with pytest.raises(OwnProposal):
        approve(proposal, AUTHOR)

    version = approve(proposal)

    proposal.refresh_from_db()
    model.refresh_from_db()
    assert (model.licence, proposal.state, proposal.version) == (wide, ProposalState.IN_FORCE, version)
    assert json.loads(bytes(OutboxEntry.objects.get(kind="model.licence_changed").body))["data"] == {
        "before": before,
        "after": before | {"licence": "wide"},
        "licence_before": "strict/1",
        "licence_after": "wide/1",
        "proposal": str(proposal.id),
        "direction": "wider",
        "authors": [str(AUTHOR)],
        "approved_by": str(APPROVER),
    }
    steps = OutboxEntry.objects.filter(kind="model_licence_proposal.changed").order_by("id")
    assert [json.loads(bytes(entry.body))["data"]["step"] for entry in steps] == ["proposed", "approved"]
    assert [event.step for event in proposal.events.all()] == ["proposed", "approved"]
    put_on_record()
    assert list(database_faults(Tally())) == []


def test_a_narrowing_needs_its_author_only(strict: Licence, wide: Licence) -> None:
    model = ModelFactory(licence=wide)
    proposal = propose(model, strict)
    assert proposal.direction == Direction.NARROWER

    approve(proposal, AUTHOR)

    assert Model.objects.get().licence == strict
    assert [event.step for event in proposal.events.all()] == ["proposed", "narrowed"]


def test_the_database_lets_no_author_widen_alone(model: Model, wide: Licence) -> None:
    """Not even with a direction that says otherwise."""
    proposal = propose(model, wide)
    alone = {"state": "in_force", "decided_by": str(AUTHOR), "decided_at": proposal.created_at}
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelLicenceProposal.objects.filter(pk=proposal.pk).update(direction="narrower", **alone)
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelLicenceProposal.objects.filter(pk=proposal.pk).update(**alone)


def test_whoever_edits_is_an_author_and_approval_is_of_what_was_seen(
    model: Model, wide: Licence, strict: Licence
) -> None:
    wider = make_licence("wider", name="Wider", purposes=[Purpose.RESEARCH, Purpose.COMMERCIAL])
    proposal = propose(model, wide)
    revised = revise_model_licence_proposal(proposal=proposal, licence=wider, reason="Less", actor=APPROVER)
    with pytest.raises(ProposalEdited):
        approve(proposal)
    with pytest.raises(OwnProposal):
        approve(revised)
    assert revised.content["licence"] == "wider"


@pytest.mark.parametrize("changed", ["present", "wanted", "moved"])
def test_a_proposal_that_no_longer_starts_from_what_is_in_force_is_stale(
    model: Model, strict: Licence, wide: Licence, changed: str
) -> None:
    proposal = propose(model, wide)
    same = make_licence("same", name="Same", purposes=[Purpose.RESEARCH])
    {
        "present": lambda: change_licence(strict, regions=("DE",)),
        "wanted": lambda: change_licence(wide, regions=("DE",)),
        "moved": lambda: set_model_licence(model=model, licence=same, actor=AUTHOR),
    }[changed]()

    assert "Write the proposal anew" in model_licence_changes_since(proposal)
    with pytest.raises(ProposalStale):
        approve(proposal)
    revised = revise_model_licence_proposal(proposal=proposal, licence=wide, reason="Anew", actor=AUTHOR)
    approve(revised)
    assert Model.objects.get().licence == wide


def test_a_decided_proposal_stays_as_it_is(model: Model, wide: Licence) -> None:
    proposal = propose(model, wide)
    MODEL_LICENCE_WAY.reject(proposal=proposal, actor=APPROVER, comment="Not now")
    with pytest.raises(ProposalClosed):
        approve(proposal)
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelLicenceProposal.objects.update(reason="Another")
    withdrawn = MODEL_LICENCE_WAY.withdraw(proposal=propose(model, wide), actor=AUTHOR)
    assert (withdrawn.state, model_licence_changes_since(withdrawn)) == (ProposalState.WITHDRAWN, "")
    assert Model.objects.get().licence == model.licence


def test_what_makes_no_sense_is_not_proposed(model: Model, strict: Licence, wide: Licence) -> None:
    with pytest.raises(NothingChanged):
        propose(model, strict)
    with pytest.raises(ProposalInvalid):
        propose_model_licence(model=model, licence=wide, reason=" ", actor=AUTHOR)
    assert not ModelLicenceProposal.objects.exists()


def test_obligations_that_are_not_known_are_refused_at_approval_too(
    model: Model, wide: Licence, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal = propose(model, wide)

    def refuse(content: object) -> None:
        raise LicenceInvalid("Unknown obligation.", details={"field": "obligations"})

    monkeypatch.setattr("governance.registry.model_licences.refuse_bad_obligations", refuse)
    with pytest.raises(LicenceInvalid):
        approve(proposal)
    assert Model.objects.get().licence == model.licence
