"""Versions of consent levels: proposed by one, approved by another, and never more than a creator agreed to."""

import json
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from governance.audit.evidence.receipts import needed_receipt
from governance.audit.models import OutboxEntry
from governance.audit.types import Actor
from governance.catalog.choices import Direction, ProposalState
from governance.catalog.entries import ConsentLevelVersionInForce
from governance.catalog.errors import (
    ConsentInvalid,
    ConsentLevelInvalid,
    NothingChanged,
    OwnProposal,
    ProposalClosed,
    ProposalEdited,
    ProposalInvalid,
    ProposalStale,
)
from governance.catalog.level_queries import narrowings_of
from governance.catalog.level_terms import LevelContent
from governance.catalog.levels import (
    LEVEL_PROPOSALS,
    changes_since,
    propose_level,
    put_level_in_force,
    revise_level_proposal,
)
from governance.catalog.models import ConsentLevel, ConsentLevelProposal, ConsentLevelVersion, Creator
from governance.catalog.queries import effective_consent
from governance.catalog.services import record_withdrawal
from governance.catalog.states import CONSENT_LEVELS
from governance.kernel import clock
from governance.keys.dsse import Envelope
from tests.factories.catalog import (
    ACTOR,
    INFER,
    TRAIN,
    AssetFactory,
    ConsentGrantFactory,
    ConsentLevelFactory,
    CreatorFactory,
)
from tests.factories.levels import APPROVER, AUTHOR, change_level, content_of, make_level, propose

pytestmark = pytest.mark.django_db


def recorded(kind: str) -> list[dict[str, Any]]:
    bodies = OutboxEntry.objects.filter(kind=kind).order_by("id").values_list("body", flat=True)
    return [json.loads(bytes(body)) for body in bodies]


def epoch_of(creator: Creator) -> int:
    return Creator.objects.values_list("consent_epoch", flat=True).get(pk=creator.pk)


def approve(proposal: ConsentLevelProposal, actor: Actor = APPROVER) -> ConsentLevelVersion:
    return put_level_in_force(proposal=proposal, digest=proposal.digest, actor=actor)


def test_a_new_level_comes_into_force_once_a_second_person_approves() -> None:
    level = make_level("research", name="Research", pairs=[TRAIN, INFER])

    version = level.in_force
    pairs = ["asset.infer:research", "asset.train:research"]
    assert (version.number, version.pairs, version.effective) == (1, pairs, pairs)
    [entry] = recorded("consent_level.version_in_force")
    assert entry["subject"] == {"type": "consent_level", "id": str(level.id)}
    assert entry["data"]["before"] is None
    assert entry["data"]["after"] == CONSENT_LEVELS.state(level)
    assert entry["data"]["gained"] == pairs
    assert (entry["data"]["authors"], entry["data"]["approved_by"]) == ([str(AUTHOR)], str(APPROVER))
    assert [each["data"]["step"] for each in recorded("consent_level_proposal.changed")] == ["proposed", "approved"]


def test_a_version_has_a_receipt_with_both_states() -> None:
    level = make_level("research", name="Research", pairs=[INFER])
    version = change_level(level, pairs=[INFER, TRAIN])

    receipt = needed_receipt(CONSENT_LEVELS.ref(level), ConsentLevelVersionInForce)

    predicate = json.loads(Envelope.from_json(receipt.envelope).payload)["predicate"]
    assert (predicate["level"], predicate["version"]) == ("research", version.number)
    assert (predicate["before"]["version"], predicate["after"]["version"]) == (1, 2)
    assert predicate["gained"] == ["asset.train:research"]


def test_nobody_approves_a_widening_of_their_own() -> None:
    proposal = propose(ConsentLevelFactory(), pairs=[INFER, TRAIN])

    with pytest.raises(OwnProposal):
        approve(proposal, AUTHOR)

    assert ConsentLevelVersion.objects.count() == 1


def test_an_editor_is_an_author_too() -> None:
    level = ConsentLevelFactory()
    proposal = propose(level, pairs=[INFER, TRAIN])
    revise_level_proposal(
        proposal=proposal, content=content_of(level, pairs=[TRAIN]), base=level.in_force, reason="Less", actor=APPROVER
    )
    proposal.refresh_from_db()

    with pytest.raises(OwnProposal):
        approve(proposal, APPROVER)

    assert proposal.authors == sorted([str(APPROVER), str(AUTHOR)])


@pytest.mark.parametrize("actor", [Actor("system", "cron"), Actor("client", "lumen")])
def test_only_people_approve(actor: Actor) -> None:
    proposal = propose(ConsentLevelFactory(), pairs=[INFER, TRAIN])

    with pytest.raises(OwnProposal):
        approve(proposal, actor)


def test_what_is_narrower_takes_one_person() -> None:
    level = ConsentLevelFactory(pairs=[INFER, TRAIN])
    proposal = propose(level, pairs=[INFER])

    version = approve(proposal, AUTHOR)

    proposal.refresh_from_db()
    assert (proposal.direction, proposal.state) == (Direction.NARROWER, ProposalState.IN_FORCE)
    assert (version.number, version.pairs) == (2, ["asset.infer:research"])
    assert recorded("consent_level_proposal.changed")[-1]["data"]["step"] == "narrowed"


@pytest.mark.parametrize("change", [{"name": "For science"}, {"name": "For science", "pairs": []}])
def test_another_label_takes_two_people_even_if_less_is_permitted(change: dict[str, Any]) -> None:
    proposal = propose(ConsentLevelFactory(), **change)

    with pytest.raises(OwnProposal):
        approve(proposal, AUTHOR)

    assert approve(proposal).name == "For science"


def test_a_narrower_version_takes_from_every_grant_and_starts_an_epoch_for_its_creators() -> None:
    level = ConsentLevelFactory(pairs=[INFER, TRAIN])
    bystander, current, former = CreatorFactory.create_batch(3)
    ConsentGrantFactory(creator=bystander)
    asset = AssetFactory(creator=current)
    ConsentGrantFactory(creator=current, level=level)
    ConsentGrantFactory(creator=former, level=level)
    ConsentGrantFactory(creator=former)

    change_level(level, pairs=[INFER])

    assert effective_consent(asset=asset, at=clock.now()).pairs == {INFER}
    assert [epoch_of(creator) for creator in (bystander, current, former)] == [1, 2, 3]
    entry = recorded("consent_level.version_in_force")[-1]["data"]
    assert (entry["gained"], entry["lost"], entry["creators"]) == ([], ["asset.train:research"], 2)


def test_a_wider_version_gives_earlier_grants_nothing_and_begins_no_epoch() -> None:
    level = ConsentLevelFactory(pairs=[INFER])
    earlier, later = AssetFactory(), AssetFactory()
    ConsentGrantFactory(creator=earlier.creator, level=level)

    change_level(level, pairs=[INFER, TRAIN])
    ConsentGrantFactory(creator=later.creator, level=level)

    assert effective_consent(asset=earlier, at=clock.now()).pairs == {INFER}
    assert effective_consent(asset=later, at=clock.now()).pairs == {INFER, TRAIN}
    assert epoch_of(earlier.creator) == 1


def test_what_was_taken_does_not_come_back_with_a_later_version() -> None:
    level = ConsentLevelFactory(pairs=[INFER, TRAIN])
    asset = AssetFactory()
    ConsentGrantFactory(creator=asset.creator, level=level)

    change_level(level, pairs=[INFER])
    change_level(level, pairs=[INFER, TRAIN])

    assert effective_consent(asset=asset, at=clock.now()).pairs == {INFER}


def test_a_label_alone_begins_no_epoch() -> None:
    level = ConsentLevelFactory()
    creator = ConsentGrantFactory(level=level).creator

    version = change_level(level, name="For science")

    assert (version.name, str(ConsentLevel.objects.get(pk=level.pk))) == ("For science", "For science")
    assert epoch_of(creator) == 1


def test_a_proposal_of_what_is_in_force_is_none() -> None:
    with pytest.raises(NothingChanged):
        propose(ConsentLevelFactory())


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_proposal_says_why(reason: str) -> None:
    level = ConsentLevelFactory()

    with pytest.raises(ProposalInvalid) as refusal:
        propose_level(
            slug=level.slug, content=content_of(level, pairs=[]), base=level.in_force, reason=reason, actor=AUTHOR
        )

    assert refusal.value.details == {"field": "reason"}


def test_a_proposal_on_top_of_an_old_version_is_stale_and_says_what_changed() -> None:
    level = ConsentLevelFactory(pairs=[INFER])
    proposal = propose(level, pairs=[])
    change_level(level, pairs=[INFER, TRAIN])

    with pytest.raises(ProposalStale, match=r"Version 2 is in force since: permits asset\.train:research"):
        approve(proposal)
    with pytest.raises(ProposalStale):
        propose_level(
            slug=level.slug, content=content_of(level, pairs=[]), base=level.in_force, reason="Less", actor=AUTHOR
        )

    assert "permits asset.train:research" in changes_since(proposal)
    proposal.refresh_from_db()
    assert proposal.state == ProposalState.OPEN


def test_a_stale_proposal_is_written_anew_on_top_of_the_version_in_force() -> None:
    level = ConsentLevelFactory(pairs=[INFER])
    proposal = propose(level, pairs=[])
    now = change_level(level, pairs=[INFER, TRAIN])

    rebased = revise_level_proposal(
        proposal=proposal, content=content_of(level, pairs=[TRAIN]), base=now, reason="Only training", actor=AUTHOR
    )

    assert (rebased.direction, changes_since(rebased)) == (Direction.NARROWER, "")
    assert approve(rebased).number == 3


def test_two_proposals_of_one_new_level_make_one_level() -> None:
    content = LevelContent("Fresh", 1, "", ())
    first, second = (
        propose_level(slug="new", content=content, base=None, reason="New", actor=AUTHOR) for _ in range(2)
    )
    approve(second)

    with pytest.raises(ProposalStale):
        approve(first)
    assert changes_since(first) == "There is a consent level “new” already. Propose a change of it instead."


def test_a_name_that_another_level_had_is_not_taken() -> None:
    level = ConsentLevelFactory(name="Research")
    change_level(level, name="Science")
    proposal = propose(ConsentLevelFactory(), name="Research")

    with pytest.raises(ConsentLevelInvalid) as refusal:
        approve(proposal)

    assert refusal.value.details == {"field": "name"}


def test_exactly_what_was_seen_is_approved() -> None:
    proposal = propose(ConsentLevelFactory(), pairs=[])

    with pytest.raises(ProposalEdited):
        put_level_in_force(proposal=proposal, digest="0" * 64, actor=APPROVER)


def test_a_proposal_is_decided_on_once() -> None:
    proposal = propose(ConsentLevelFactory(), pairs=[])
    LEVEL_PROPOSALS.reject(proposal=proposal, actor=APPROVER, comment="Not now")

    with pytest.raises(ProposalClosed, match="rejected already"):
        approve(proposal)
    with pytest.raises(ProposalClosed):
        LEVEL_PROPOSALS.withdraw(proposal=proposal, actor=AUTHOR)
    assert changes_since(proposal) == ""


def test_a_rejection_says_why_and_stays_out_of_the_ledger_in_words() -> None:
    proposal = propose(ConsentLevelFactory(), pairs=[])
    with pytest.raises(ProposalInvalid):
        LEVEL_PROPOSALS.reject(proposal=proposal, actor=APPROVER, comment=" ")

    rejected = LEVEL_PROPOSALS.reject(proposal=proposal, actor=APPROVER, comment="Creators were not asked")

    assert rejected.events.get(step="rejected").comment == "Creators were not asked"
    entry = recorded("consent_level_proposal.changed")[-1]["data"]
    assert entry["after"] == LEVEL_PROPOSALS.recorded.state(rejected)
    assert "asked" not in json.dumps(entry)


def test_only_an_author_withdraws() -> None:
    proposal = propose(ConsentLevelFactory(), pairs=[])
    with pytest.raises(OwnProposal):
        LEVEL_PROPOSALS.withdraw(proposal=proposal, actor=APPROVER)

    assert LEVEL_PROPOSALS.withdraw(proposal=proposal, actor=AUTHOR).state == ProposalState.WITHDRAWN


def test_a_grant_is_of_the_version_that_the_creator_read() -> None:
    level = ConsentLevelFactory()
    read = level.in_force
    now = change_level(level, pairs=[INFER, TRAIN])

    with pytest.raises(ConsentInvalid) as refusal:
        ConsentGrantFactory(level=level, level_version=read)

    assert refusal.value.details == {"field": "level"}
    assert ConsentGrantFactory(level=level, level_version=now).level_version == now


def test_narrowings_of_a_creator_are_those_of_grants_that_were_in_effect() -> None:
    level = ConsentLevelFactory(pairs=[INFER, TRAIN])
    holder, former, withdrawn = CreatorFactory.create_batch(3)
    for creator in (holder, former, withdrawn):
        ConsentGrantFactory(creator=creator, level=level)
    ConsentGrantFactory(creator=former)
    record_withdrawal(creator=withdrawn, asset=None, everything=True, method="console", actor=ACTOR)

    version = change_level(level, pairs=[TRAIN])
    change_level(level, pairs=[INFER, TRAIN])

    [narrowing] = narrowings_of(holder)
    assert (narrowing.version, narrowing.granted.number, narrowing.lost) == (version, 1, ("asset.infer:research",))
    assert narrowings_of(former) == narrowings_of(withdrawn) == []


def test_a_narrowing_of_the_default_is_no_matter_of_a_work_with_its_own_statement() -> None:
    level = ConsentLevelFactory(pairs=[INFER, TRAIN])
    asset = AssetFactory()
    ConsentGrantFactory(creator=asset.creator, asset=asset, level=level)
    ConsentGrantFactory(creator=asset.creator, asset=asset)

    change_level(level, pairs=[INFER])

    assert narrowings_of(asset.creator) == []


# --- what PostgreSQL itself refuses


def run(sql: str, *values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def refused(sql: str, *values: object) -> str:
    with pytest.raises(IntegrityError) as refusal:
        run(sql, *values)
    return str(refusal.value)


@pytest.mark.parametrize("column", ["number", "name", "rank", "description", "pairs"])
def test_a_version_never_changes(column: str) -> None:
    version = ConsentLevelFactory().in_force
    other = {"pairs": "ARRAY['x:y']", "number": "7", "rank": "7"}.get(column, "'other'")

    assert "refused" in refused(f"UPDATE catalog_consentlevelversion SET {column} = {other} WHERE id = %s", version.id)


def test_what_grants_permit_never_grows() -> None:
    version = ConsentLevelFactory(pairs=[INFER, TRAIN]).in_force
    version.effective = ["asset.infer:research"]
    version.save()

    grow = "UPDATE catalog_consentlevelversion SET effective = pairs WHERE id = %s"
    strange = "UPDATE catalog_consentlevelversion SET effective = ARRAY['asset.export:research'] WHERE id = %s"
    assert "refused" in refused(grow, version.id)
    assert "refused" in refused(strange, version.id)


def test_a_version_is_not_deleted() -> None:
    assert "refused" in refused(
        "DELETE FROM catalog_consentlevelversion WHERE id = %s", ConsentLevelFactory().in_force_id
    )


def test_the_version_in_force_is_one_of_the_level() -> None:
    level, other = ConsentLevelFactory.create_batch(2)

    found = refused("UPDATE catalog_consentlevel SET in_force_id = %s WHERE id = %s", other.in_force_id, level.id)

    assert "consent_level_in_force_is_its_own" in found or "in_force_id" in found


def test_a_grant_is_of_a_version_of_its_level() -> None:
    grant, other = ConsentGrantFactory(), ConsentLevelFactory()
    sql = """
        INSERT INTO catalog_consentgrant (id, kind, creator_id, level_id, level_version_id, regions, partners_allowed,
            partners_excluded, valid_from, method, evidence_digest, epoch, recorded_by_type, recorded_by_id, created_at)
        SELECT gen_random_uuid(), kind, creator_id, level_id, %s, regions, partners_allowed, partners_excluded,
            valid_from, method, evidence_digest, 9, recorded_by_type, recorded_by_id, created_at
        FROM catalog_consentgrant WHERE id = %s
    """

    assert "consent_version_of_level" in refused(sql, other.in_force_id, grant.id)


IN_FORCE = """
    UPDATE catalog_consentlevelproposal
    SET state = 'in_force', decided_by = %s, decided_at = now(), version_id = %s, direction = %s WHERE id = %s
"""


def test_no_author_is_the_approver() -> None:
    level = ConsentLevelFactory()
    proposal = propose(level, pairs=[INFER, TRAIN])

    found = refused(IN_FORCE, str(AUTHOR), level.in_force_id, "wider", proposal.id)

    assert "alone" in found or "author" in found


def test_a_widening_that_is_called_narrower_is_computed_again() -> None:
    level = ConsentLevelFactory()
    proposal = propose(level, pairs=[TRAIN])
    wider = ConsentLevelVersion.objects.create(
        level=level, number=2, name=level.in_force.name, rank=level.in_force.rank, pairs=["asset.train:research"]
    )

    found = refused(IN_FORCE, str(AUTHOR), wider.id, "narrower", proposal.id)

    assert "an author approves only what is narrower" in found


def test_what_was_decided_stays_so() -> None:
    proposal = propose(ConsentLevelFactory(), pairs=[])
    LEVEL_PROPOSALS.reject(proposal=proposal, actor=APPROVER, comment="No")

    assert "refused" in refused(
        "UPDATE catalog_consentlevelproposal SET state = 'open', decided_by = '', decided_at = NULL WHERE id = %s",
        proposal.id,
    )


def test_the_steps_of_a_proposal_are_history() -> None:
    event = propose(ConsentLevelFactory(), pairs=[]).events.get()

    assert str(event) == f"proposed by {AUTHOR}"
    assert "refused" in refused(
        "UPDATE catalog_consentlevelproposalevent SET person = 'user:9' WHERE id = %s", event.id
    )
