"""Versions of licences: proposed by one, approved by another, or by one where they are narrower."""

import json
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from governance.audit.evidence.receipts import needed_receipt
from governance.catalog.choices import Direction, ProposalState
from governance.catalog.errors import NothingChanged, OwnProposal, ProposalClosed, ProposalStale
from governance.kernel import clock
from governance.keys.dsse import Envelope
from governance.registry.entries import LicenceVersionInForce
from governance.registry.errors import LicenceInvalid, LicenceWidens
from governance.registry.licence_terms import LicenceContent, checked_licence, direction_of_licence, permits_no_more
from governance.registry.licences import (
    LICENCE_WAY,
    licence_changes_since,
    put_licence_in_force,
)
from governance.registry.model_services import set_model_licence
from governance.registry.models import Licence, LicenceProposal, LicenceVersion
from governance.registry.states import LICENCES
from tests.factories.levels import APPROVER, AUTHOR
from tests.factories.licences import change_licence, make_licence, propose_change
from tests.factories.registry import LicenceFactory, ModelFactory

pytestmark = pytest.mark.django_db

PROVENANCE = {"kind": "embed_provenance"}
SMALL = {"kind": "limit_resolution", "parameters": {"max_edge": 512}}
lists = st.lists(st.sampled_from(["DE", "FR", "US"]), unique=True).map(tuple)


def content(**terms: object) -> LicenceContent:
    base = {"name": "Open", "purposes": ("commercial", "research"), "regions": (), "partners": (), "terms_url": ""}
    base |= {"valid_from": clock.now(), "valid_until": None, "obligations": (PROVENANCE,)}
    return LicenceContent(**base | terms)  # type: ignore[arg-type]


def approve(proposal: LicenceProposal, actor: object = APPROVER) -> LicenceVersion:
    return put_licence_in_force(proposal=proposal, digest=proposal.digest, actor=actor)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("terms", "direction"),
    [
        ({"purposes": ("research",)}, Direction.NARROWER),
        ({"regions": ("DE",)}, Direction.NARROWER),
        ({"partners": ("lumen",)}, Direction.NARROWER),
        ({"valid_until": clock.now() + timedelta(days=1)}, Direction.NARROWER),
        ({"obligations": (PROVENANCE, SMALL)}, Direction.NARROWER),
        ({"purposes": ("research",), "name": "Closed"}, Direction.MIXED),
        ({"name": "Other"}, Direction.LABEL),
        ({"purposes": ("commercial", "non_commercial", "research")}, Direction.WIDER),
        ({"obligations": ()}, Direction.WIDER),
        ({"obligations": ({"kind": "embed_provenance", "parameters": {}},)}, Direction.WIDER),
        ({"purposes": ("research",), "obligations": ()}, Direction.WIDER),
    ],
)
def test_only_a_loss_under_the_same_label_is_narrower(terms: dict[str, object], direction: Direction) -> None:
    before = content()

    assert direction_of_licence(before, content(**{"valid_from": before.valid_from} | terms)) == direction


@given(before=lists, after=lists, region=st.sampled_from(["DE", "FR", "US", "SE"]))
def test_no_region_is_gained_by_what_permits_no_more(
    before: tuple[str, ...], after: tuple[str, ...], region: str
) -> None:
    old, at = content(regions=before), clock.now()
    new = content(regions=after, valid_from=max(at, old.valid_from))
    covers = {which: not each.regions or region in each.regions for which, each in (("old", old), ("new", new))}

    assert not permits_no_more(old, new) or covers["old"] >= covers["new"]


@pytest.mark.parametrize(
    ("field", "terms"),
    [
        ("name", {"name": ""}),
        ("purposes", {"purposes": ("fun",)}),
        ("regions", {"regions": ("XX",)}),
        ("partners", {"partners": ("no slug",)}),
        ("valid_until", {"valid_until": clock.now() - timedelta(days=1)}),
        ("obligations", {"obligations": ({"what": "?"},)}),
        ("obligations", {"obligations": ({"kind": "watermrk"},)}),
        ("obligations", {"obligations": ({"kind": "attribution"},)}),
        ("obligations", {"obligations": ({"kind": "embed_provenance", "parameters": {"text": "x"}},)}),
        ("terms_url", {"terms_url": "x" * 201}),
    ],
)
def test_a_content_that_cannot_be_names_the_field(field: str, terms: dict[str, object]) -> None:
    with pytest.raises(LicenceInvalid) as refusal:
        checked_licence(slug="open", content=content(**terms))

    assert refusal.value.details == {"field": field}


def test_a_content_survives_the_way_through_json() -> None:
    given_ = content(valid_until=clock.now() + timedelta(days=1))

    assert LicenceContent.from_json(given_.to_json()) == given_


def test_a_new_licence_comes_into_force_with_a_receipt() -> None:
    licence = make_licence("open", name="Open", purposes=["research"])

    receipt = needed_receipt(LICENCES.ref(licence), LicenceVersionInForce)

    predicate = json.loads(Envelope.from_json(receipt.envelope).payload)["predicate"]
    assert (predicate["licence"], predicate["version"], predicate["before"]) == ("open", 1, None)
    assert predicate["after"] == LICENCES.state(Licence.objects.select_related("in_force").get())


def test_a_change_is_a_version_and_the_row_shows_it() -> None:
    licence = LicenceFactory(purposes=["research"])

    version = change_licence(licence, purposes=("commercial", "research"))

    licence.refresh_from_db()
    assert (version.number, licence.in_force, licence.purposes) == (2, version, ["commercial", "research"])


def test_nobody_approves_a_widening_of_their_own_and_one_narrows() -> None:
    licence = LicenceFactory(purposes=["commercial", "research"])
    with pytest.raises(OwnProposal):
        approve(propose_change(licence, purposes=("commercial", "non_commercial", "research")), AUTHOR)

    assert approve(propose_change(licence, purposes=("research",)), AUTHOR).number == 2


def test_a_stale_proposal_says_what_changed() -> None:
    licence = LicenceFactory(purposes=["commercial", "research"])
    proposal = propose_change(licence, purposes=("research",))
    change_licence(licence, regions=("DE",))

    with pytest.raises(ProposalStale, match="another regions"):
        approve(proposal)
    assert "Version 2" in licence_changes_since(proposal)


def test_a_proposal_is_decided_on_once() -> None:
    licence = LicenceFactory()
    with pytest.raises(NothingChanged):
        propose_change(licence)
    first, second = propose_change(licence, regions=("DE",)), propose_change(licence, regions=("FR",))
    LICENCE_WAY.withdraw(proposal=second, actor=AUTHOR)
    rejected = LICENCE_WAY.reject(proposal=first, actor=APPROVER, comment="No")

    with pytest.raises(ProposalClosed):
        approve(first)
    assert rejected.state == ProposalState.REJECTED


def test_one_person_moves_a_model_only_to_what_permits_no_more() -> None:
    model = ModelFactory(licence=LicenceFactory(purposes=["research"]))

    with pytest.raises(LicenceWidens):
        set_model_licence(model=model, licence=LicenceFactory(purposes=["commercial", "research"]), actor=AUTHOR)


def run(sql: str, *values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_row_shows_nothing_but_its_version() -> None:
    with pytest.raises(IntegrityError, match="its terms are not those of its version"):
        run("UPDATE registry_licence SET purposes = ARRAY['commercial'] WHERE id = %s", LicenceFactory().id)


def test_a_version_never_changes() -> None:
    with pytest.raises(IntegrityError, match="append-only"):
        run("UPDATE registry_licenceversion SET number = 7 WHERE id = %s", LicenceFactory().in_force_id)


def test_a_widening_that_is_called_narrower_is_computed_again() -> None:
    licence = LicenceFactory(purposes=["commercial", "research"])
    proposal = propose_change(licence, purposes=("research",))
    now = licence.in_force
    wider = LicenceVersion.objects.create(
        licence=licence, number=2, name=now.name, purposes=["derivative_commercial"], valid_from=now.valid_from
    )

    with pytest.raises(IntegrityError, match="an author approves only what is narrower"):
        run(
            "UPDATE registry_licenceproposal SET state = 'in_force', decided_by = %s, decided_at = now(),"
            " version_id = %s WHERE id = %s",
            str(AUTHOR), wider.id, proposal.id,
        )  # fmt: skip
