"""Everything is made through the services, then changed behind the application's back; verification must name it."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from governance.audit.evidence.anchoring import anchor_evidence, anchor_pending
from governance.audit.log.sequencer import sequence_pending
from governance.audit.models import EvidenceRecord, LedgerEntry, OutboxEntry, TreeHead, WormReference
from governance.audit.ports import worm_store
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.audit.tally import REMEDIES
from governance.audit.types import SubjectRef, WormObject
from governance.audit.verification import verify_all
from governance.kernel import clock
from governance.kernel.canonical import canonical_json, sha256_hex
from governance.kernel.ports import Port, PortUnbound
from governance.keys.dsse import IN_TOTO_PAYLOAD_TYPE, Envelope, sign_envelope
from governance.keys.ring import KeyPurpose, KeyRing
from governance.transparency.merkle import Frontier, leaf_hash
from tests.factories.audit import SubjectRefFactory, issued_evidence, record_entries
from tests.history import guards_lifted

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def jobs() -> list[EvidenceRecord]:
    """Two jobs with anchored evidence, in three batches: entries #0 to #2, #3 and #4, #5 to #8."""
    record_entries(3)
    sequence_pending()
    evidence = [issued_evidence(), issued_evidence()]
    sequence_pending()
    anchor_pending()
    record_entries(2)
    sequence_pending()
    return evidence


def found(**given: Any) -> list[tuple[str, str]]:
    """Return subject and check of every fault."""
    return [(fault.subject, fault.check) for fault in verify_all(**given).faults]


def checks(**given: Any) -> list[str]:
    return [check for _, check in found(**given)]


def forge_entry(index: int, change: dict[str, Any]) -> None:
    """Change an entry's bytes, with or without its hash, as a superuser could."""
    with guards_lifted():
        LedgerEntry.objects.filter(index=index).update(**change)


def body_with(index: int, change: dict[str, Any]) -> bytes:
    return canonical_json(json.loads(bytes(LedgerEntry.objects.get(index=index).body)) | change)


def object_path(worm_root: Path, evidence: EvidenceRecord) -> Path:
    return next((worm_root / "objects").rglob(f"{evidence.subject_id}.json"))


def test_nothing_at_all_holds() -> None:
    report = verify_all()

    assert report.ok
    assert dict(report.checked) == {
        "ledger_entries": 0,
        "tree_heads": 0,
        "waiting_entries": 0,
        "evidence_records": 0,
        "evidence_entries": 0,
        "receipts": 0,
        "other_worm_objects": 0,
    }


def test_untouched_history_holds_and_is_counted(jobs: list[EvidenceRecord]) -> None:
    issued_evidence()
    record_entries(4)
    calls: list[tuple[str, int, int]] = []

    report = verify_all(on_progress=lambda *call: calls.append(call))

    assert report.ok
    assert dict(report.checked) == {
        "ledger_entries": 9,
        "tree_heads": 3,
        "waiting_entries": 5,
        "evidence_records": 3,
        "evidence_entries": 4,
        "receipts": 2,
        "worm_objects": 2,
        "other_worm_objects": 0,
    }
    assert ("ledger_entries", 9, 9) in calls
    assert ("evidence_records", 3, 3) in calls


def test_history_over_rotated_keys_and_many_small_batches_holds(ring: KeyRing) -> None:
    for _ in range(5):
        evidence = issued_evidence()
        anchor_evidence(evidence_id=evidence.id)
        sequence_pending(limit=1)
        ring.rotate(purpose=KeyPurpose.EVIDENCE)

    assert found() == []


# the ledger


def test_altered_bytes_of_an_entry_are_named(jobs: list[EvidenceRecord]) -> None:
    entry = LedgerEntry.objects.get(index=1)
    forge_entry(1, {"body": body_with(1, {"data": {"number": 99}})})

    assert found() == [(f"ledger entry #1 (job.submitted job:{entry.subject_id})", "entry_leaf")]


def test_altered_bytes_with_a_matching_hash_do_not_lead_to_the_root(jobs: list[EvidenceRecord]) -> None:
    body = body_with(4, {"at": "2020-01-01T00:00:00.000000Z"})
    forge_entry(4, {"body": body, "leaf_hash": leaf_hash(body), "occurred_at": "2020-01-01T00:00:00Z"})

    faults = verify_all().faults

    assert [(fault.subject, fault.check) for fault in faults] == [("tree head of 5 entries", "tree_root")]
    assert faults[0].message == "Entries #3 to #4 do not lead to the stored root hash."
    assert faults[0].remedy == REMEDIES["tree_root"]


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"\xff\xfe"])
def test_entries_turned_into_rubbish_are_named_and_the_rest_is_still_checked(
    jobs: list[EvidenceRecord], body: bytes
) -> None:
    forge_entry(3, {"body": body})

    assert [check for subject, check in found() if subject.startswith("ledger entry #3 ")] == [
        "entry_leaf",
        "entry_columns",
    ]
    assert checks().count("evidence_ledger") == 1
    assert len(checks()) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "job.denied"},
        {"actor_id": "somebody"},
        {"subject_id": "other"},
        {"occurred_at": "2020-01-01T00:00:00Z"},
    ],
)
def test_altered_column_is_named(jobs: list[EvidenceRecord], change: dict[str, str]) -> None:
    forge_entry(0, change)

    faults = verify_all().faults

    assert [fault.check for fault in faults] == ["entry_columns"]
    assert faults[0].message.endswith(f"{next(iter(change))}.")


@pytest.mark.parametrize(
    ("removed", "names"),
    [
        ([1], ["ledger entry #1"]),
        ([0, 1], ["ledger entries #0 to #1"]),
        ([2], ["ledger entry #2"]),
        ([0, 2], ["ledger entry #0", "ledger entry #2"]),
    ],
)
def test_removed_entries_are_named(jobs: list[EvidenceRecord], removed: list[int], names: list[str]) -> None:
    with guards_lifted():
        LedgerEntry.objects.filter(index__in=removed).delete()

    assert found() == [(name, "entry_missing") for name in names]


def test_removed_end_of_the_ledger_is_named(jobs: list[EvidenceRecord]) -> None:
    with guards_lifted():
        LedgerEntry.objects.filter(index__gte=7).delete()

    assert found() == [("ledger entries #7 to #8", "entry_missing")]


def test_entries_that_changed_places_are_named(jobs: list[EvidenceRecord]) -> None:
    with guards_lifted():
        LedgerEntry.objects.filter(index=0).update(index=100)
        LedgerEntry.objects.filter(index=1).update(index=0)
        LedgerEntry.objects.filter(index=100).update(index=1)

    assert found() == [("tree head of 3 entries", "tree_root")]


def test_entry_added_behind_the_sequencer_is_named(jobs: list[EvidenceRecord]) -> None:
    entry = LedgerEntry.objects.get(index=8)
    entry.index, entry.entry_id = 9, LedgerEntry._meta.get_field("entry_id").to_python("0" * 32)
    with guards_lifted():
        entry.save(force_insert=True)

    assert found() == [("ledger entry #9", "entry_outside_tree")]


def test_entries_without_any_tree_head_are_named(jobs: list[EvidenceRecord]) -> None:
    with guards_lifted():
        TreeHead.objects.all()._raw_delete(using="default")

    assert ("ledger entry #0", "entry_outside_tree") in found()


def test_altered_root_is_named_and_later_batches_are_checked_against_the_recomputed_tree(
    jobs: list[EvidenceRecord],
) -> None:
    with guards_lifted():
        TreeHead.objects.filter(size=5).update(root_hash=bytes(32))

    assert found() == [
        ("tree head of 5 entries", "tree_root"),
        ("tree head of 5 entries", "tree_frontier"),
    ]


def test_altered_frontier_is_named(jobs: list[EvidenceRecord]) -> None:
    with guards_lifted():
        TreeHead.objects.filter(size=3).update(frontier=bytes(64))

    assert found() == [("tree head of 3 entries", "tree_frontier")]


def test_frontier_of_another_length_with_a_gap_before_it_ends_the_check_there(jobs: list[EvidenceRecord]) -> None:
    with guards_lifted():
        LedgerEntry.objects.filter(index=1).delete()
        TreeHead.objects.filter(size=3).update(frontier=bytes(5))

    assert found() == [("ledger entry #1", "entry_missing"), ("tree head of 3 entries", "tree_frontier")]


def test_rewritten_history_with_rewritten_heads_contradicts_what_the_evidence_says(
    jobs: list[EvidenceRecord],
) -> None:
    issued = LedgerEntry.objects.get(index=3)
    data = json.loads(bytes(issued.body))["data"] | {"outcome": "denied"}
    forge_entry(3, {"body": body_with(3, {"data": data})})
    hashes = [leaf_hash(bytes(body)) for body in LedgerEntry.objects.order_by("index").values_list("body", flat=True)]
    with guards_lifted():
        LedgerEntry.objects.filter(index=3).update(leaf_hash=hashes[3])
        for head in TreeHead.objects.all():
            tree = Frontier().extended(hashes[: head.size])
            TreeHead.objects.filter(size=head.size).update(root_hash=tree.root(), frontier=tree.to_bytes())

    faults = verify_all().faults

    assert [(fault.check, fault.message) for fault in faults] == [
        ("evidence_ledger", "The ledger differs in: outcome.")
    ]


def test_altered_waiting_entry_is_named() -> None:
    record_entries(1)
    entry = OutboxEntry.objects.get()
    with guards_lifted():
        OutboxEntry.objects.update(kind="job.denied")

    assert found() == [(f"waiting entry {entry.entry_id}", "entry_columns")]


# evidence


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"envelope": "{}"}, ["evidence_digest", "worm_bytes"]),
        ({"envelope_sha256": "0" * 64}, ["evidence_digest", "evidence_ledger"]),
        ({"outcome": "denied"}, ["evidence_row", "evidence_ledger"]),
        ({"key_id": "other"}, ["evidence_row", "evidence_ledger"]),
        ({"predicate_type": "other"}, ["evidence_row", "evidence_ledger"]),
        ({"created_at": "2020-01-01T00:00:00Z"}, ["evidence_signature"]),
        ({"created_at": "2099-01-01T00:00:00Z"}, ["evidence_row"]),
        ({"subject_id": "another"}, ["evidence_row", "evidence_ledger", "reference_ledger"]),
    ],
)
def test_altered_evidence_row_is_named(jobs: list[EvidenceRecord], change: dict[str, str], expected: list[str]) -> None:
    with guards_lifted():
        EvidenceRecord.objects.filter(id=jobs[0].id).update(**change)

    assert checks() == expected


def replace_envelope(evidence: EvidenceRecord, text: str) -> None:
    with guards_lifted():
        EvidenceRecord.objects.filter(id=evidence.id).update(envelope=text, envelope_sha256=sha256_hex(text.encode()))


def test_forged_envelope_is_named(jobs: list[EvidenceRecord]) -> None:
    envelope = Envelope.from_json(jobs[0].envelope)
    forged = Envelope(envelope.payload_type, envelope.payload.replace(b"released", b"denied"), envelope.signatures)
    replace_envelope(jobs[0], forged.to_json())

    assert checks() == ["evidence_signature", "evidence_ledger", "worm_bytes"]


@pytest.mark.parametrize("payload", [b"{}", b"[]", b"rubbish", b'{"predicate":{"evidence":[]}}'])
def test_something_else_signed_with_the_same_key_is_named(
    jobs: list[EvidenceRecord], ring: KeyRing, payload: bytes
) -> None:
    other = sign_envelope(
        key_ring=ring, purpose=KeyPurpose.EVIDENCE, payload_type=IN_TOTO_PAYLOAD_TYPE, payload=payload
    )
    replace_envelope(jobs[0], other.to_json())

    assert checks() == ["evidence_row", "evidence_ledger", "worm_bytes"]


def test_swapped_evidence_is_named(jobs: list[EvidenceRecord]) -> None:
    first, second = jobs
    replace_envelope(first, second.envelope)
    replace_envelope(second, first.envelope)

    assert checks() == ["evidence_row", "evidence_ledger", "worm_bytes"] * 2


def test_swapped_references_are_named(jobs: list[EvidenceRecord]) -> None:
    first, second = jobs
    with guards_lifted():
        reference = WormReference.objects.get(evidence=first)
        other = WormReference.objects.get(evidence=second)
        columns = ("uri", "version_id", "sha256", "size", "retain_until")
        WormReference.objects.filter(id=other.id).update(uri="elsewhere")
        WormReference.objects.filter(id=reference.id).update(**{name: getattr(other, name) for name in columns})
        WormReference.objects.filter(id=other.id).update(**{name: getattr(reference, name) for name in columns})

    assert checks() == ["reference_ledger", "worm_bytes"] * 2


def test_evidence_without_a_ledger_entry_is_named() -> None:
    evidence = issued_evidence()
    OutboxEntry.objects.all().delete()

    faults = verify_all().faults

    assert [(fault.check, fault.message) for fault in faults] == [
        ("evidence_ledger", "The ledger has no entry for it.")
    ]
    assert faults[0].subject == f"evidence {evidence.id} of job:{evidence.subject_id}"


def test_removed_evidence_and_reference_are_named(jobs: list[EvidenceRecord]) -> None:
    with guards_lifted():
        WormReference.objects.filter(evidence=jobs[0]).delete()
        EvidenceRecord.objects.filter(id=jobs[0].id).delete()

    name = f"evidence {jobs[0].id} of job:{jobs[0].subject_id}"
    assert found() == [(name, "evidence_missing"), (name, "reference_missing")]


def test_revoked_key_makes_later_evidence_worthless(jobs: list[EvidenceRecord], ring: KeyRing) -> None:
    ring.revoke(key_id=jobs[0].key_id, since=jobs[1].created_at)

    assert found() == [(f"evidence {jobs[1].id} of job:{jobs[1].subject_id}", "evidence_signature")]


# WORM


def test_altered_file_is_named(jobs: list[EvidenceRecord], worm_root: Path) -> None:
    path = object_path(worm_root, jobs[1])
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"a", b"b", 1))

    faults = verify_all().faults

    assert [fault.check for fault in faults] == ["worm_object_altered"]
    assert jobs[1].subject_id in faults[0].subject
    assert str(path) in faults[0].message
    assert "Restore it" in faults[0].remedy


def test_missing_file_is_named(jobs: list[EvidenceRecord], worm_root: Path) -> None:
    path = object_path(worm_root, jobs[0])
    path.unlink()

    faults = verify_all().faults

    assert [fault.check for fault in faults] == ["worm_object_missing"]
    assert str(path) in faults[0].message


def test_swapped_files_are_named(jobs: list[EvidenceRecord], worm_root: Path) -> None:
    first, second = (object_path(worm_root, each) for each in jobs)
    first.rename(first.with_suffix(".aside"))
    second.rename(first)
    first.with_suffix(".aside").rename(second)

    assert checks() == ["worm_object_altered"] * 2


def test_file_that_cannot_be_read_is_a_fault_of_that_file(
    jobs: list[EvidenceRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    def bad_block(path: Path) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("governance.audit.stores.filesystem.read_plain_file", bad_block)

    faults = verify_all().faults

    assert [fault.check for fault in faults] == ["worm_unreadable"] * 2
    assert "Input/output error" in faults[0].message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sha256": "0" * 64}, "another digest"),
        ({"size": 1}, "another digest"),
        ({"mode": "compliance"}, "another digest"),
    ],
)
def test_reference_that_claims_more_than_the_store_keeps_is_named(
    jobs: list[EvidenceRecord], change: dict[str, Any], message: str
) -> None:
    with guards_lifted():
        WormReference.objects.filter(evidence=jobs[0]).update(**change)

    faults = verify_all().faults

    assert [fault.check for fault in faults] == ["reference_ledger", "worm_record"]
    assert message in faults[1].message


def test_reference_that_claims_a_longer_retention_than_the_store_keeps_is_named(jobs: list[EvidenceRecord]) -> None:
    WormReference.objects.filter(evidence=jobs[0]).update(retain_until="2999-01-01T00:00:00Z")

    faults = verify_all().faults

    assert [fault.check for fault in faults] == ["worm_record"]
    assert "but 2999-01-01T00:00:00.000000Z was promised" in faults[0].message


def test_reference_that_promises_less_than_the_ledger_is_named(jobs: list[EvidenceRecord]) -> None:
    with guards_lifted():
        WormReference.objects.filter(evidence=jobs[0]).update(retain_until="2026-01-01T00:00:00Z")

    assert checks() == ["reference_ledger"]


def test_retention_that_was_shortened_in_the_store_is_named(jobs: list[EvidenceRecord], worm_root: Path) -> None:
    class Forgetful(FilesystemWormStore):
        """A store that lets go of an object early."""

        def head(self, **given: str) -> WormObject:
            known = super().head(**given)
            return WormObject(
                **{name: getattr(known, name) for name in WormObject.__slots__ if name != "retain_until"},
                retain_until=known.retain_until - timedelta(days=1),
            )

    with worm_store.override(Forgetful(worm_root)):
        assert checks() == ["worm_record"] * 2


def test_extended_retention_is_no_fault(jobs: list[EvidenceRecord], store: FilesystemWormStore) -> None:
    reference = WormReference.objects.get(evidence=jobs[0])
    key = reference.uri.removeprefix("worm+file:")
    store.put(key=key, data=jobs[0].envelope.encode(), retain_until=clock.now() + timedelta(days=9000))

    assert found() == []


# scope and means


def test_one_subject_is_checked_without_the_others(jobs: list[EvidenceRecord], worm_root: Path) -> None:
    object_path(worm_root, jobs[0]).unlink()
    first, second = (SubjectRef(each.subject_type, each.subject_id) for each in jobs)

    assert checks(subject=first) == ["worm_object_missing"]
    report = verify_all(subject=second)
    assert report.ok
    assert (report.checked["evidence_records"], report.checked["worm_objects"]) == (1, 1)
    assert report.checked["ledger_entries"] == 9
    assert verify_all(subject=SubjectRefFactory()).checked["evidence_records"] == 0


def test_what_comes_in_meanwhile_is_no_fault(jobs: list[EvidenceRecord]) -> None:
    def business_goes_on(stage: str, done: int, total: int) -> None:
        anchor_evidence(evidence_id=issued_evidence().id)
        sequence_pending()
        issued_evidence()

    report = verify_all(on_progress=business_goes_on)

    assert report.faults == ()
    assert report.checked["ledger_entries"] == 9
    assert report.checked["evidence_records"] > 2


@pytest.mark.parametrize("port", ["worm_store", "key_ring"])
def test_without_store_or_keys_nothing_is_verified(
    jobs: list[EvidenceRecord], monkeypatch: pytest.MonkeyPatch, port: str
) -> None:
    monkeypatch.setattr(f"governance.audit.verification.{port}", Port(port))

    with pytest.raises(PortUnbound):
        verify_all()


def test_number_of_queries_does_not_grow_with_the_evidence(django_assert_max_num_queries: Callable[..., Any]) -> None:
    for _ in range(30):
        issued_evidence()
    anchor_pending()
    sequence_pending()

    with django_assert_max_num_queries(24):
        assert found() == []
    assert connection.in_atomic_block is False
