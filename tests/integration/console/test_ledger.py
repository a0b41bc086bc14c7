"""The ledger explorer: entries are found, and proven on the spot, and what somebody changed is shown as not proven."""

import hashlib
import json

import pytest
from django.db import connection
from django.urls import reverse

from governance.audit.keeping.extensions import change_retention_class
from governance.audit.log.sequencer import sequence_pending
from governance.audit.models import Checkpoint, LedgerEntry, LogAlarm, RetentionClass
from governance.audit.types import Actor, SubjectRef
from governance.console.entry_meaning import UNDECLARED
from governance.console.presentation import list_url, page_url
from governance.transparency.notes import split_note
from governance.transparency.proofs import parse_proof_file
from tests.factories.audit import record_loose
from tests.factories.checkpoints import TestWitness, make_checkpoint
from tests.history import guards_lifted

ACTOR = Actor("user", "7")


@pytest.fixture
def checkpoint(released) -> Checkpoint:
    return make_checkpoint()


def story(client, row) -> dict:
    answer = client.get(page_url(row))
    assert answer.status_code == 200
    return answer.context


def titles(context, tone) -> list[str]:
    return [step.title for step in context["proof"].steps if step.tone == tone]


@pytest.mark.parametrize("place", [0, 1, 7, -1])
def test_an_entry_is_proven_against_the_newest_checkpoint(place, checkpoint, boss):
    entries = list(LedgerEntry.objects.order_by("index"))
    entry = entries[place]
    context = story(boss, entry)
    assert (context["proof_word"], titles(context, "bad"), titles(context, "busy")) == ("Proven", [], [])
    last = context["proof"].path[-1]
    assert last.result == bytes(checkpoint.root_hash).hex()


def test_the_first_hash_of_the_path_is_of_the_leaf_and_its_neighbour(checkpoint, boss):
    left, right = LedgerEntry.objects.order_by("index")[:2]
    node = story(boss, right)["proof"].path[0]
    expected = hashlib.sha256(b"\x01" + bytes(left.leaf_hash) + bytes(right.leaf_hash)).hexdigest()
    assert (node.on_left, node.sibling, node.result) == (True, bytes(left.leaf_hash).hex(), expected)


def test_an_entry_waits_for_its_checkpoint(released, boss):
    context = story(boss, LedgerEntry.objects.first())
    assert context["proof_word"] == "Waiting"
    assert "No checkpoint is published yet" in context["proof"].steps[-1].detail


def test_an_entry_that_no_checkpoint_covers_yet_waits(released, boss):
    make_checkpoint(size=3)
    context = story(boss, LedgerEntry.objects.get(index=3))
    assert context["proof_word"] == "Waiting"
    assert "The newest covers 3 entries" in context["proof"].steps[-1].detail
    assert boss.get(reverse("admin:audit_ledgerentry_proof", args=[3])).status_code == 404
    assert story(boss, LedgerEntry.objects.get(index=2))["proof_word"] == "Proven"


def test_a_checkpoint_without_its_quorum_is_not_published(checkpoint, boss, settings):
    witness = TestWitness("witness.example/one")
    settings.ASSENT_WITNESSES, settings.ASSENT_WITNESS_QUORUM = [witness.setting], 1
    entry = LedgerEntry.objects.first()
    assert story(boss, entry)["proof_word"] == "Waiting"
    witness.cosign(checkpoint)
    context = story(boss, entry)
    assert context["proof_word"] == "Proven"
    assert "1 cosigned, 1 needed: witness.example/one." in context["proof"].steps[-1].detail


CHANGE = "UPDATE audit_ledgerentry SET"
ZEROS = "decode(repeat('00', 32), 'hex')"
WHOLE = ["Stored bytes", "Leaf hash", "Path to the root"]


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        (f"{CHANGE} kind = 'job.invented' WHERE index = 2", ["Stored bytes"]),
        (f"{CHANGE} body = convert_to('{{}}', 'UTF8') WHERE index = 2", WHOLE),
        (f"{CHANGE} body = '\\xff00' WHERE index = 2", WHOLE),
        (f"{CHANGE} leaf_hash = {ZEROS} WHERE index = 2", ["Leaf hash"]),
        (f"{CHANGE} leaf_hash = {ZEROS} WHERE index = 3", ["Path to the root"]),
        ("UPDATE audit_checkpoint SET size = 5", ["Path to the root", "Signature of the log"]),
        ("UPDATE audit_checkpoint SET note = replace(note, '— ', '- ')", ["Signature of the log"]),
        ("DELETE FROM audit_ledgerentry WHERE index = 5", ["Path through the stored tiles"]),
    ],
)
def test_what_somebody_changed_behind_our_back_is_not_proven(change, failing, checkpoint, boss):
    with guards_lifted(), connection.cursor() as cursor:
        cursor.execute(change)
    context = story(boss, LedgerEntry.objects.get(index=2))
    assert (context["proof_word"], titles(context, "bad")) == ("Not proven", failing)


def test_the_bytes_and_the_proof_can_be_saved(checkpoint, boss):
    entry = LedgerEntry.objects.get(index=4)
    raw = boss.get(reverse("admin:audit_ledgerentry_raw", args=[4]))
    assert hashlib.sha256(b"\x00" + raw.content).digest() == bytes(entry.leaf_hash)
    assert raw["Content-Disposition"] == 'attachment; filename="entry-4.json"'
    assert raw["X-Content-Type-Options"] == "nosniff"
    proof = parse_proof_file(boss.get(reverse("admin:audit_ledgerentry_proof", args=[4])).content.decode())
    assert (proof.index, proof.checkpoint) == (4, checkpoint.note)


def test_neighbours_and_the_raw_bytes_are_shown(checkpoint, boss):
    entry = LedgerEntry.objects.get(index=4)
    context = story(boss, entry)
    assert [each.index for each in context["around"]] == [1, 2, 3, 4, 5, 6, 7]
    assert context["raw_dump"].startswith("000000  7b 22 61 63")
    assert json.loads(context["body"])["entry_id"] == str(entry.entry_id)


def test_entries_are_found_by_number_and_by_their_ids(checkpoint, boss):
    entry = LedgerEntry.objects.get(index=3)
    for term in ("3", "#3", " 3 ", str(entry.entry_id)):
        found = boss.get(list_url(LedgerEntry), {"q": term}).context["cl"].result_list
        assert [each.index for each in found] == [3], term
    found = boss.get(list_url(LedgerEntry), {"q": entry.subject_id}).context["cl"].result_list
    assert {each.subject_id for each in found} == {entry.subject_id}
    assert list(boss.get(list_url(LedgerEntry), {"q": "9" * 30}).context["cl"].result_list) == []


def test_entries_are_found_by_the_beginning_of_their_kind(checkpoint, boss):
    found = boss.get(list_url(LedgerEntry), {"q": "permit."}).context["cl"].result_list
    assert {each.kind for each in found} == {"permit.issued", "permit.redeemed"}


@pytest.mark.parametrize(
    ("chosen", "kinds"),
    [
        ({"about": "moderation"}, {"moderation.recorded"}),
        ({"kind": ["permit.issued", "job.queued"]}, {"permit.issued", "job.queued"}),
        ({"about": "decisions", "kind": "decision.recorded"}, {"decision.recorded"}),
    ],
)
def test_entries_are_chosen_by_what_areas_declare(chosen, kinds, checkpoint, boss):
    found = boss.get(list_url(LedgerEntry), chosen).context["cl"].result_list
    assert {each.kind for each in found} == kinds


def test_fields_are_shown_with_their_meaning(checkpoint, boss):
    entry = LedgerEntry.objects.filter(kind="permit.issued").first()
    answer = boss.get(page_url(entry))
    said = {each.name: each.meaning for each in answer.context["words"].fields}
    assert said["job"] == "Id of the job."
    assert "A worker got a permit to run one job once, within a short time." in answer.text
    assert not answer.context["words"].has_states


def test_a_change_is_shown_as_what_differs(db, boss):
    row = RetentionClass.objects.get(slug="evidence")
    change_retention_class(row=row, name="Longer", days=4000, actor=ACTOR)
    sequence_pending()
    answer = boss.get(page_url(LedgerEntry.objects.get(kind="retention.changed")))
    changed = [(each.name, each.was, each.now) for each in answer.context["words"].changes]
    assert changed == [("Days", "2557", "4000"), ("Name", "Evidence", "Longer")]
    assert "<td>Days</td><td><del>2557</del></td>" in answer.text


def test_an_entry_of_an_unknown_kind_is_shown_as_it_is(db, boss):
    record_loose("job.invented", subject=SubjectRef("job", "j-1"), data={"colour": "red"})
    sequence_pending()
    words = boss.get(page_url(LedgerEntry.objects.get())).context["words"]
    assert words.declared is None
    assert [(each.name, each.value, each.meaning) for each in words.fields] == [("colour", "red", UNDECLARED)]


def test_a_checkpoint_shows_its_note_and_holds(checkpoint, boss, settings):
    witness = TestWitness("witness.example/one")
    settings.ASSENT_WITNESSES, settings.ASSENT_WITNESS_QUORUM = [witness.setting], 1
    witness.cosign(checkpoint)
    context = story(boss, checkpoint)
    assert [step.tone for step in context["steps"]] == ["good", "good", "good"]
    saved = boss.get(reverse("admin:audit_checkpoint_note", args=[checkpoint.pk])).content.decode()
    assert saved == context["note"]
    _, lines = split_note(saved)
    assert [line.name for line in lines] == [settings.ASSENT_LOG_ORIGIN, "witness.example/one"]


def test_cosignatures_are_verified_and_those_of_strangers_do_not_count(checkpoint, boss, settings):
    known, stranger = TestWitness("witness.example/one"), TestWitness("witness.example/two")
    settings.ASSENT_WITNESSES, settings.ASSENT_WITNESS_QUORUM = [known.setting], 1
    stranger.cosign(checkpoint)
    context = story(boss, checkpoint)
    assert (context["steps"][2].tone, context["steps"][2].detail) == ("busy", "0 cosigned, 1 needed.")
    assert "0 of 1, 1 needed" in boss.get(list_url(Checkpoint)).content.decode()
    impostor = TestWitness("witness.example/one")
    impostor.cosign(checkpoint)
    context = story(boss, checkpoint)
    assert context["steps"][2].tone == "bad"
    assert not context["proven"]


def test_a_checkpoint_continues_the_one_before(released, boss):
    first, second = make_checkpoint(size=3), make_checkpoint()
    context = story(boss, second)
    assert (context["before"], context["added"]) == (first, second.size - 3)
    assert "its first 3 entries are unchanged" in context["steps"][1].detail
    with guards_lifted(), connection.cursor() as cursor:
        cursor.execute("UPDATE audit_checkpoint SET root_hash = decode(repeat('00', 32), 'hex') WHERE number = 1")
    context = story(boss, second)
    assert context["steps"][1].tone == "bad"
    assert not context["proven"]


def test_a_checkpoint_whose_keys_somebody_changed_does_not_hold(checkpoint, boss):
    sequence_pending()
    with guards_lifted(), connection.cursor() as cursor:
        cursor.execute("UPDATE audit_ledgerentry SET body = convert_to('{}', 'UTF8') WHERE kind = 'key.announced'")
    context = story(boss, checkpoint)
    assert (context["proven"], context["vkeys"]) == (False, [])
    assert "was altered" in context["steps"][0].detail


def test_the_list_of_checkpoints_says_how_the_log_is_doing(checkpoint, boss, settings):
    log = boss.get(list_url(Checkpoint)).context["log"]
    assert (log.word, log.tone, log.newest) == ("Running", "good", checkpoint)
    settings.ASSENT_WITNESS_QUORUM = 1
    log = boss.get(list_url(Checkpoint)).context["log"]
    assert (log.word, log.tone, log.published) == ("Waiting for witnesses", "warn", None)


def test_an_open_alarm_is_on_every_page_until_it_is_resolved(checkpoint, boss, person):
    said = "The transparency log has stopped"
    alarm = LogAlarm.objects.create(code="log_forked", message="Entry 3 is another one.", details={"size": 3})
    pages = [reverse("admin:index"), list_url(Checkpoint), page_url(alarm), reverse("admin:jobs_job_changelist")]
    for url in pages:
        text = boss.get(url).content.decode()
        assert said in text, url
        assert "Entry 3 is another one." in text
    assert said not in person().get(reverse("admin:index")).content.decode()
    assert "somebody changed history here" in boss.get(page_url(alarm)).context["remedy"]
    LogAlarm.objects.update(resolved_at=alarm.raised_at, resolved_by="user:1", resolution="Restored.")
    assert said not in boss.get(reverse("admin:index")).content.decode()


def test_downloads_need_the_right_to_see_the_table(checkpoint, person):
    nobody = person()
    for name, key in (("ledgerentry_raw", 1), ("ledgerentry_proof", 1), ("checkpoint_note", checkpoint.pk)):
        assert nobody.get(reverse(f"admin:audit_{name}", args=[key])).status_code == 403


def test_new_entries_are_counted_as_not_yet_covered(checkpoint, market, boss):
    market.submit(purpose="research")
    sequence_pending()
    log = boss.get(list_url(Checkpoint)).context["log"]
    assert log.status.lag_entries == log.status.size + log.status.waiting - checkpoint.size > 0
