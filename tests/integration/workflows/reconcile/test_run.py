"""A whole reconciliation: the report, WORM storage in both directions, and the command."""

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from governance.audit.log.checkpoints import advance_log
from governance.audit.models import Checkpoint, EvidenceRecord, OutboxEntry, ReconciliationReport, WormReference
from governance.audit.ports import WormStore, worm_store
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.audit.stores.probe import DATA, FOLDER, OTHER
from governance.jobs.models import Job
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.kernel.ports import Port, PortUnbound
from governance.rulebook.models import PolicyFreeze
from governance.workflows.reconcile import run as module
from governance.workflows.reconcile.run import reconcile
from governance.workflows.reconcile.worm import GRACE
from inference_workers.tasks.control import reconcile as nightly
from tests.factories.marketplace import finish, make_marketplace
from tests.factories.states import put_on_record
from tests.history import guards_lifted
from tests.threads import in_threads

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FilesystemWormStore]:
    """Give each test a WORM store of its own."""
    with worm_store.override(FilesystemWormStore(tmp_path / "worm")) as store:
        yield store


@pytest.fixture
def released(transactional_db: None, store: FilesystemWormStore) -> Job:
    market = make_marketplace()
    put_on_record()
    return finish(market.submit().job.id)


def faults(**given: bool) -> list[tuple[str, str]]:
    """Return check and subject of every fault."""
    return [(each["check"], each["subject"]) for each in reconcile(asked_by="system:tests", **given).faults]


def later(seconds: float) -> ManualClock:
    return ManualClock(clock.now() + timedelta(seconds=seconds))


def path_of(store: FilesystemWormStore, reference: WormReference) -> Path:
    (found,) = [path for path in store_files(store) if path.name == reference.uri.rpartition("/")[2]]
    return found


def store_files(store: FilesystemWormStore) -> list[Path]:
    return [path for path in store._root.rglob("*.json") if path.is_file()]


def reference(kind: str = "evidence") -> WormReference:
    return WormReference.objects.filter(kind=kind).latest("stored_at")


def test_report_is_stored_with_counts_and_an_entry(released: Job) -> None:
    report = reconcile(asked_by="user:7")

    stored = ReconciliationReport.objects.get()
    assert (report.ok, stored.fault_count, stored.faults, stored.asked_by) == (True, 0, [], "user:7")
    assert stored.counts["jobs"] == stored.counts["runs"] == stored.counts["outputs"] == 1
    assert stored.counts["worm_objects_read"] == stored.counts["worm_objects_listed"] == 2
    assert stored.started_at <= stored.finished_at
    body = json.loads(bytes(OutboxEntry.objects.get(kind="audit.reconciled").body))
    assert (body["data"]["ok"], body["data"]["faults"]) == (True, 0)
    assert faults() == []


def test_report_that_was_prettied_up_is_named(released: Job) -> None:
    reconcile(asked_by="system:tests")
    with guards_lifted():
        ReconciliationReport.objects.update(fault_count=3)

    assert [check for check, _ in faults()] == ["reconciliation_differs"]


def test_faults_are_counted_though_only_the_first_are_kept(released: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FAULTS_KEPT", 2)
    for _ in range(3):
        PolicyFreeze.objects.create(active=False, reason="?", frozen_by="user:1", frozen_at=clock.now(),
                                    lift_asked_by="user:1", lift_asked_at=clock.now(), lifted_by="user:2",
                                    lifted_at=clock.now())  # fmt: skip

    report = reconcile(asked_by="system:tests")

    assert (report.ok, report.fault_count, len(report.faults)) == (False, 6, 2)


def test_work_that_goes_on_meanwhile_is_no_fault(released: Job) -> None:
    def business_goes_on(stage: str, done: int, total: int) -> None:
        seen.append(stage)

    seen: list[str] = []
    assert reconcile(asked_by="system:tests", on_progress=business_goes_on).ok
    assert set(seen) == {"checks", "states", "facts", "worm_objects_read", "worm_objects_listed"}


def test_it_reads_one_moment_and_changes_nothing(released: Job) -> None:
    with (
        pytest.raises(DatabaseError, match="read-only"),
        module.snapshot(),
    ):
        Job.objects.update(reason="changed")


def test_it_needs_a_transaction_of_its_own(released: Job) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        reconcile(asked_by="system:tests")


def test_without_a_store_nothing_is_reconciled(released: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "worm_store", Port[WormStore]("worm_store"))

    with pytest.raises(PortUnbound):
        reconcile(asked_by="system:tests")
    assert not ReconciliationReport.objects.exists()


# WORM storage


@pytest.mark.parametrize("kind", ["evidence", "policy"])
def test_object_that_was_altered_is_named(released: Job, store: FilesystemWormStore, kind: str) -> None:
    path = path_of(store, reference(kind))
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"a", b"b", 1))

    assert faults() == [("worm_object_altered", f"WORM object {reference(kind).uri}")]


@pytest.mark.parametrize("read_bytes", [True, False])
def test_object_that_no_longer_exists_is_named(released: Job, store: FilesystemWormStore, read_bytes: bool) -> None:
    path_of(store, reference()).unlink()

    assert faults(read_bytes=read_bytes) == [("worm_object_missing", f"WORM object {reference().uri}")]


@pytest.mark.parametrize("read_bytes", [True, False])
def test_retention_that_was_promised_longer_is_named(released: Job, read_bytes: bool) -> None:
    with guards_lifted():
        WormReference.objects.filter(kind="policy").update(retain_until="2999-01-01T00:00:00Z")

    assert faults(read_bytes=read_bytes) == [("worm_record", f"WORM object {reference('policy').uri}")]


def test_object_that_cannot_be_asked_for_is_named(released: Job) -> None:
    with guards_lifted():
        WormReference.objects.filter(kind="policy").update(uri="elsewhere:it", sha256="0" * 64)

    found = faults(read_bytes=False)

    assert ("worm_unreadable", "WORM object elsewhere:it") in found


@pytest.mark.parametrize("kind", ["evidence", "policy"])
def test_object_with_other_bytes_than_the_database_holds_is_named(
    released: Job, store: FilesystemWormStore, kind: str
) -> None:
    other = store.put(key=f"{kind}/other.json", data=b"{}", retain_until=clock.now() + timedelta(days=9000))
    facts = {"uri": other.uri, "version_id": other.version_id, "sha256": other.sha256, "size": other.size}
    with guards_lifted():
        WormReference.objects.filter(kind=kind).update(**facts, retain_until=other.retain_until)

    assert ("worm_bytes", f"WORM object {other.uri}") in faults()


def test_object_that_nothing_refers_to_is_named_once_it_is_not_young(released: Job, store: FilesystemWormStore) -> None:
    stray = store.put(key="evidence/stray.json", data=b"{}", retain_until=clock.now() + timedelta(days=9))
    assert faults() == []

    with clock.using(later(GRACE.total_seconds() + 1)):
        found = [each for each in reconcile(asked_by="system:tests").faults if each["check"] == "worm_object_unknown"]

    assert [each["subject"] for each in found] == [f"WORM object {stray.uri}"]
    assert "audit acknowledge" in found[0]["remedy"]


def test_report_says_how_fresh_its_view_is_and_what_is_newer(released: Job, store: FilesystemWormStore) -> None:
    stray = store.put(key="evidence/stray.json", data=b"{}", retain_until=clock.now() + timedelta(days=9))

    report = reconcile(asked_by="system:tests")

    assert (report.ok, report.counts["worm_objects_too_new"]) == (True, 1)
    assert report.started_at - GRACE <= report.store_as_of <= report.finished_at - GRACE < stray.stored_at
    assert [each.split()[0] for each in report.newer_objects] == [stray.uri]
    out = StringIO()
    call_command("audit", "reconcile", stdout=out, stderr=StringIO())
    told = out.getvalue()
    assert f"newer, and nothing refers to it yet: {stray.uri}" in told
    assert told.rstrip().endswith("Nothing is missing.")
    assert "WORM storage as of " in told


def test_object_from_the_future_is_not_too_new_for_ever(released: Job, store: FilesystemWormStore) -> None:
    with clock.using(later(timedelta(days=1).total_seconds())):
        stray = store.put(key="evidence/stray.json", data=b"{}", retain_until=clock.now() + timedelta(days=9))

    assert faults() == [("worm_object_unknown", f"WORM object {stray.uri}")]


@pytest.mark.parametrize(
    ("key", "data", "checks"),
    [
        (f"{FOLDER}{uuid4()}/3", DATA, []),
        (f"{FOLDER}{uuid4()}/3", OTHER, []),
        (f"{FOLDER}{uuid4()}/3", b"X" * len(DATA), ["worm_object_unknown"]),
        (f"{FOLDER}{uuid4()}/3", b"evidence", ["worm_object_unknown"]),
        (f"{FOLDER}evidence.json", DATA, ["worm_object_unknown"]),
    ],
)
def test_only_what_the_probe_writes_may_lie_among_its_objects(
    released: Job, store: FilesystemWormStore, key: str, data: bytes, checks: list[str]
) -> None:
    store.put(key=key, data=data, retain_until=clock.now() + timedelta(days=9))
    with clock.using(later(GRACE.total_seconds() + 1)):
        assert [check for check, _ in faults() if check == "worm_object_unknown"] == checks


def test_reference_that_was_removed_leaves_an_object_that_is_named(released: Job) -> None:
    uri = reference("policy").uri
    with guards_lifted():
        WormReference.objects.filter(kind="policy").delete()

    with clock.using(later(GRACE.total_seconds() + 1)):
        found = faults()

    assert ("worm_object_unknown", f"WORM object {uri}") in found
    assert "active_not_archived" in [check for check, _ in found]


def test_checkpoints_are_read_back_with_their_notes(released: Job) -> None:
    advance_log()
    report = reconcile(asked_by="system:tests")
    assert (report.ok, report.counts["checkpoints"], report.counts["worm_objects_read"]) == (True, 1, 3)

    with guards_lifted():
        Checkpoint.objects.update(note="another")

    assert faults() == [("worm_bytes", f"WORM object {reference('checkpoint').uri}")]


def test_checkpoint_whose_row_was_removed_is_named(released: Job) -> None:
    advance_log()
    with guards_lifted():
        Checkpoint.objects.all().delete()

    assert faults() == [("checkpoint_removed", f"WORM object {reference('checkpoint').uri}")]


def test_object_that_was_acknowledged_is_known(released: Job, store: FilesystemWormStore) -> None:
    stray = store.put(key="evidence/stray.json", data=b"{}", retain_until=clock.now() + timedelta(days=9))
    out = StringIO()

    call_command("audit", "acknowledge", stray.uri, stray.version_id, stdout=out)

    assert stray.sha256 in out.getvalue()
    with clock.using(later(GRACE.total_seconds() + 1)):
        assert "worm_object_unknown" not in [check for check, _ in faults()]


# the command and the schedule


def test_command_says_what_was_counted(released: Job) -> None:
    out, err = StringIO(), StringIO()

    call_command("audit", "reconcile", stdout=out, stderr=err)

    assert "       1  jobs" in out.getvalue()
    assert "Nothing is missing." in out.getvalue()
    assert "worm objects read: 2 of 2" in err.getvalue()


def test_command_names_each_fault_with_what_to_do_and_ends_with_1(released: Job) -> None:
    out = StringIO()
    with guards_lifted():
        EvidenceRecord.objects.update(key_id="other")

    with pytest.raises(CommandError, match="1 fault found") as caught:
        call_command("audit", "reconcile", "--no-bytes", stdout=out, stderr=StringIO())

    assert caught.value.returncode == 1
    assert "Fault 1: evidence_differs" in out.getvalue()
    assert "  to do  The log counts, not the row." in out.getvalue()


def test_command_says_how_many_more_faults_there_are(released: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FAULTS_KEPT", 1)
    out = StringIO()
    with guards_lifted():
        Job.objects.update(request_digest="0" * 64)
        EvidenceRecord.objects.update(key_id="other")

    with pytest.raises(CommandError, match="2 faults found"):
        call_command("audit", "reconcile", stdout=out, stderr=StringIO())

    assert "... and 1 more." in out.getvalue()


def test_command_prints_json(released: Job) -> None:
    out = StringIO()

    call_command("audit", "reconcile", "--json", stdout=out, stderr=StringIO())

    answer = json.loads(out.getvalue())
    assert (answer["ok"], answer["fault_count"], answer["faults"]) == (True, 0, [])
    assert answer["report"] == str(ReconciliationReport.objects.get().id)


def test_command_that_cannot_look_ends_with_2(released: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "worm_store", Port[WormStore]("worm_store"))

    with pytest.raises(CommandError, match="Cannot reconcile") as caught:
        call_command("audit", "reconcile", stdout=StringIO(), stderr=StringIO())

    assert caught.value.returncode == 2


def test_schedule_leaves_a_report_and_faults_an_error_in_the_log(
    released: Job, caplog: pytest.LogCaptureFixture
) -> None:
    with guards_lifted():
        EvidenceRecord.objects.update(key_id="other")

    nightly()

    report = ReconciliationReport.objects.get()
    assert (report.asked_by, report.fault_count) == ("system:schedule", 1)
    assert f"Reconciliation found 1 faults; see the report {report.id}." in caplog.text


def test_no_night_begins_before_the_one_before_has_ended(
    store: FilesystemWormStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "reconcile", lambda **given: in_threads(nightly))
    nightly()

    assert "still under way" in caplog.text
    monkeypatch.undo()
    nightly()
    assert ReconciliationReport.objects.count() == 1
