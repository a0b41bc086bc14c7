"""Erasure: what goes, what stays, and that everything proven before is provable after."""

import json
from base64 import b64decode
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from governance.audit.evidence.anchoring import anchor_pending
from governance.audit.evidence.commitments import commitment_of, open_commitment
from governance.audit.log.sequencer import sequence_pending
from governance.audit.models import CommitmentSalt, EvidenceRecord, LedgerEntry, OutboxEntry, Receipt
from governance.audit.verification import verify_all
from governance.catalog.choices import ConsentState, GrantMethod
from governance.catalog.creators import change_creator, reinstate_creator, suspend_creator
from governance.catalog.entries import creator_ref
from governance.catalog.errors import AssetInvalid, ConsentInvalid, CreatorErased
from governance.catalog.models import Creator
from governance.catalog.personal_data import commit_personal_data
from governance.catalog.queries import effective_consent
from governance.catalog.services import record_grant
from governance.catalog.states import ASSETS, CREATORS
from governance.catalog.works import change_asset, quarantine_asset
from governance.jobs.models import Job
from governance.kernel import clock
from governance.kernel.canonical import digest
from governance.workflows.erase_creator import erase_creator
from tests.factories.marketplace import TESTER, Marketplace, finish, make_asset, png, release, run
from tests.receipts import statement_in

pytestmark = pytest.mark.django_db(transaction=True)

NAME, EMAIL = "Ada Lindqvist", "ada@example.org"


@pytest.fixture
def ada(market: Marketplace) -> Creator:
    """A creator with a name, an address, a work whose title names her, and commitments on record."""
    details = {"display_name": NAME, "email": EMAIL, "region": "SE", "uploaders": ["lumen"]}
    creator = change_creator(creator=market.creator, **details, actor=TESTER)
    change_asset(asset=market.asset, title=f"Portrait of {NAME}", tags=[], dataset=None, actor=TESTER)
    return creator


def erase(creator: Creator) -> Any:
    return erase_creator(creator=creator, method=GrantMethod.EMAIL, actor=TESTER)


def entries(kind: str) -> list[dict[str, Any]]:
    sequence_pending()
    bodies = LedgerEntry.objects.filter(kind=kind).order_by("index").values_list("body", flat=True)
    return [json.loads(bytes(body))["data"] for body in bodies]


def columns_holding(text: str) -> list[str]:
    """Return every text or binary column of the whole database in which `text` is found."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
            " AND data_type IN ('character varying', 'text', 'jsonb', 'ARRAY', 'bytea')"
        )
        for table, column, kind in cursor.fetchall():
            needle = f"position('{text}'::bytea in \"{column}\")" if kind == "bytea" else f"strpos({column}::text, %s)"
            cursor.execute(f'SELECT 1 FROM "{table}" WHERE {needle} > 0 LIMIT 1', [] if kind == "bytea" else [text])
            found += [f"{table}.{column}"] * bool(cursor.fetchone())
    return sorted(found)


def test_creator_can_show_that_an_entry_is_about_them_until_erasure(ada: Creator) -> None:
    _, entry = entries("creator.committed")
    commitment = entry["commitments"]["email"]

    assert NAME not in json.dumps(entry)
    assert open_commitment(subject=creator_ref(ada), name="email", value=EMAIL, commitment=commitment)
    erase(ada)
    assert open_commitment(subject=creator_ref(ada), name="email", value=EMAIL, commitment=commitment) is None
    assert CommitmentSalt.objects.count() == 0


def test_nothing_personal_is_left_in_any_column(ada: Creator, market: Marketplace) -> None:
    finish(market.submit().job.id)
    reason = f"Claimed by {NAME}."
    reinstate_creator(creator=suspend_creator(creator=ada, reason=reason, actor=TESTER), reason=reason, actor=TESTER)
    quarantine_asset(asset=market.asset, reason=reason, actor=TESTER)
    user = get_user_model().objects.create_user("clerk", password=None)
    for row in (ada, market.asset, ada.consent_grants.get()):
        LogEntry.objects.create(
            user=user,
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            object_repr=f"{row} {NAME}",
            action_flag=ADDITION,
        )
    assert columns_holding(NAME) == [
        "catalog_asset.status_reason",
        "catalog_asset.title",
        "catalog_creator.display_name",
        "catalog_creator.status_reason",
        "django_admin_log.object_repr",
    ]

    erasure = erase(ada)
    sequence_pending()

    # Salts: three of names, with the one that was changed, one of the address, two of reasons; two of titles, a reason.
    assert (erasure.values, erasure.titles, erasure.salts) == (3, 1, 8)
    assert CommitmentSalt.objects.count() == 0
    assert columns_holding(NAME) == []
    assert columns_holding(EMAIL) == []


def test_erasure_is_on_record_with_figures_only(ada: Creator) -> None:
    erase(ada)

    (entry,) = entries("creator.erased")
    figures = {name: entry[name] for name in ("values", "titles", "salts", "epoch")}
    assert figures == {"values": 2, "titles": 1, "salts": 5, "epoch": 2}
    assert entries("consent.withdrawn")[0]["everything"] is True
    receipt = Receipt.objects.get(kind="creator.erased")
    statement = statement_in(receipt)
    assert receipt.subject_id == str(ada.id)
    assert entry["envelope_sha256"] == receipt.envelope_sha256
    assert statement["predicate"]["erased"] == figures
    assert statement["subject"][0]["digest"]["sha256"] == digest(figures)


def test_states_have_no_commitment_from_then_on(ada: Creator, market: Marketplace) -> None:
    before = ASSETS.state(ASSETS.rows().get(id=market.asset.id))
    own = CREATORS.state(ada)

    erase(ada)

    (work,), (creator,) = entries("asset.redacted"), entries("creator.erased")
    assert work == {"before": before, "after": before | {"title": None}}
    assert work["after"] == ASSETS.state(ASSETS.rows().get(id=market.asset.id))
    assert creator["before"] == own
    erased = {"display_name": None, "email": None, "uploaders": [], "status": "suspended", "erased": True}
    assert creator["after"] == own | erased == CREATORS.state(CREATORS.rows().get(id=ada.id))


def test_log_and_evidence_verify_end_to_end_after_it(ada: Creator, market: Marketplace) -> None:
    finish(market.submit().job.id)
    sequence_pending()

    erase(ada)
    anchor_pending()
    sequence_pending()

    report = verify_all()
    assert report.faults == ()
    assert report.checked["evidence_records"] >= 1


def test_open_jobs_stop_and_consent_is_gone(ada: Creator, market: Marketplace) -> None:
    waiting, done = market.submit().job, market.submit().job
    run(done.id)

    erase(ada)

    assert run(waiting.id).state == "cancelled"
    assert release(done.id).state == "denied"
    assert Job.objects.filter(state="released").count() == 0
    assert effective_consent(asset=market.asset, at=clock.now()).state == ConsentState.WITHDRAWN
    assert market.submit().job.state == "denied"


def test_evidence_names_creators_by_id_alone(ada: Creator, market: Marketplace) -> None:
    job = finish(market.submit().job.id)

    statement = EvidenceRecord.objects.get(subject_id=str(job.id)).envelope
    payload = json.loads(b64decode(json.loads(statement)["payload"]))["predicate"]

    assert [each["creator"] for each in payload["inputs"]] == [str(ada.id)]
    assert [set(each["consent_epochs"]) for each in payload["decisions"]] == [{str(ada.id)}] * 3


def test_nothing_is_recorded_for_an_erased_creator(ada: Creator, market: Marketplace) -> None:
    erase(ada)
    creator = Creator.objects.get(id=ada.id)

    with pytest.raises(CreatorErased):
        erase(creator)
    with pytest.raises(ConsentInvalid, match="erased"):
        record_grant(creator=creator, asset=None, level=market.level, method=GrantMethod.SIGNED_FORM, actor=TESTER)
    with pytest.raises(ConsentInvalid, match="erased"):
        reinstate_creator(creator=creator, reason="She asked for it.", actor=TESTER)
    with pytest.raises(AssetInvalid, match="erased"):
        make_asset(creator, png(30, 30))
    assert OutboxEntry.objects.filter(kind="creator.erased").count() == 1


def test_database_itself_lets_no_name_back_in(ada: Creator) -> None:
    stale = Creator.objects.get(id=ada.id)
    erase(ada)

    with pytest.raises(IntegrityError, match="creator_erased_has_no_name"), transaction.atomic():
        Creator.objects.filter(id=ada.id).update(display_name=NAME)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        stale.save()


def test_failed_erasure_leaves_everything(ada: Creator) -> None:
    with pytest.raises(ConsentInvalid):
        erase_creator(creator=ada, method="telepathy", actor=TESTER)

    creator = Creator.objects.get(id=ada.id)
    assert (creator.display_name, creator.consent_epoch) == (NAME, 1)
    assert CommitmentSalt.objects.count() == 5


def test_empty_values_are_not_committed_to(market: Marketplace) -> None:
    OutboxEntry.objects.filter(kind="creator.committed").delete()
    commit_personal_data(creator=market.creator, actor=TESTER, fields=["email"])

    assert not OutboxEntry.objects.filter(kind="creator.committed").exists()
    assert Receipt.objects.filter(kind="creator.committed").count() == 0


def disclosed(creator: str) -> list[dict[str, Any]]:
    out = StringIO()
    call_command("audit", "disclose", creator, stdout=out)
    opened: list[dict[str, Any]] = json.loads(out.getvalue())["commitments"]
    return opened


def test_disclosure_opens_the_entries_until_erasure(ada: Creator) -> None:
    sequence_pending()
    replaced, names, emails, first, title = sorted(disclosed("ada"), key=lambda each: str(each["name"]))

    assert (replaced["value"], names["value"], emails["value"]) == (None, NAME, EMAIL)
    assert (first["value"], title["value"]) == (None, f"Portrait of {NAME}")
    assert [each["subject"].split(":")[0] for each in (names, title)] == ["creator", "asset"]
    assert commitment_of(name="email", salt=bytes.fromhex(emails["salt"]), value=EMAIL) == emails["commitment"]
    assert LedgerEntry.objects.get(index=emails["index"]).entry_id == UUID(emails["entry_id"])
    erase(ada)
    assert [(each["salt"], each["value"]) for each in disclosed("ada")] == [(None, None)] * 5


def test_disclosure_of_a_changed_value_names_the_entry_alone(ada: Creator) -> None:
    Creator.objects.filter(id=ada.id).update(display_name="Ada L. Roth")

    values = [(each["name"], each["value"]) for each in disclosed("ada")]
    assert values[:3] == [("display_name", None), ("display_name", None), ("email", EMAIL)]


def test_nobody_is_disclosed_who_is_not_there() -> None:
    with pytest.raises(CommandError, match="no creator 'nobody'") as caught:
        disclosed("nobody")
    assert caught.value.returncode == 2
