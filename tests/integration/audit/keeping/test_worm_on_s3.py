"""What the audit area does with WORM storage, done with a bucket: evidence, checkpoints, holds, extensions, scrubs."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings

from governance.audit.errors import LogHalted, WormStoreRefused
from governance.audit.evidence.anchoring import anchor_evidence
from governance.audit.keeping.extensions import change_retention_class
from governance.audit.keeping.holds import ask_release, release_hold, set_hold
from governance.audit.keeping.scrub import start_scrub, work_batch
from governance.audit.log import log_guard
from governance.audit.log.checkpoint_slots import slot_key
from governance.audit.log.checkpoints import advance_log, newest_checkpoint
from governance.audit.log.log_alarms import codes_of
from governance.audit.log.log_guard import Patrol
from governance.audit.models import LogAlarm, RetentionClass, ScrubRun, WormReference
from governance.audit.ports import worm_store
from governance.audit.stores.s3 import S3WormStore
from governance.audit.stores.s3_bucket import S3Bucket
from governance.audit.types import Actor
from governance.audit.verification import verify_all
from tests.factories.audit import issued_evidence, record_entries
from tests.s3 import S3Server

pytestmark = pytest.mark.django_db

ADA, BOB = Actor("user", "1"), Actor("user", "2")


@pytest.fixture
def bucket(s3_server: S3Server) -> S3Bucket:
    return s3_server.bucket()


@pytest.fixture(autouse=True)
def s3_store(bucket: S3Bucket) -> Iterator[S3WormStore]:
    store = S3WormStore(bucket=bucket, mode="compliance")
    with worm_store.override(store):
        yield store


@pytest.fixture(autouse=True)
def a_log_without_witnesses(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ASSENT_LOG_ORIGIN = "assent.local/log"
    settings.ASSENT_WITNESSES = []
    settings.ASSENT_WITNESS_QUORUM = 0
    monkeypatch.setattr(log_guard, "patrol", Patrol())


def anchored() -> WormReference:
    return anchor_evidence(evidence_id=issued_evidence().id)


def scrubbed() -> ScrubRun:
    run = start_scrub(actor=ADA)
    while work_batch(run_id=run.pk, done=run.done, actor=ADA, seconds=30.0, most_bytes=10**9) is not None:
        run.refresh_from_db()
    run.refresh_from_db()
    return run


def test_evidence_and_checkpoints_lie_in_the_bucket_and_verify(bucket: S3Bucket) -> None:
    reference = anchored()
    for _ in range(2):
        record_entries(3)
        advance_log()

    assert (reference.mode, reference.uri[:5]) == ("compliance", "s3://")
    checkpoint = newest_checkpoint()
    assert checkpoint is not None
    assert checkpoint.number == 2
    assert checkpoint.reference.retain_until - checkpoint.reference.stored_at > timedelta(days=36_000)
    assert verify_all().faults == ()
    assert scrubbed().faults == []


def test_a_forked_slot_stops_the_log(bucket: S3Bucket) -> None:
    record_entries(1)
    advance_log()
    bucket.write(slot_key(origin="assent.local/log", number=1), b"another history")
    record_entries(1)

    with pytest.raises(LogHalted):
        advance_log()
    assert codes_of(LogAlarm.objects.all()) == "checkpoint_altered"


def test_a_class_reaches_the_bucket_and_a_hold_too(
    s3_store: S3WormStore, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    reference = anchored()
    where = {"uri": reference.uri, "version_id": reference.version_id}
    row = RetentionClass.objects.get_or_create(slug="evidence", defaults={"kind": "evidence", "name": "Evidence"})[0]
    change_retention_class(row=row, name="Longer", days=4000, actor=ADA)
    hold = set_hold(reference=reference, actor=ADA, reason="Case")

    assert scrubbed().faults == []

    known = s3_store.head(**where)
    reference.refresh_from_db()
    assert known.held
    assert known.retain_until == reference.retain_until > reference.stored_at + timedelta(days=4000) - timedelta(days=1)
    ask_release(hold=hold, actor=ADA, reason="Closed")
    with django_capture_on_commit_callbacks(execute=True):
        release_hold(hold=hold, actor=BOB)
    assert not s3_store.head(**where).held
    assert verify_all().faults == ()


def test_without_a_lock_nothing_is_anchored(s3_server: S3Server) -> None:
    plain = S3WormStore(bucket=s3_server.bucket(lock=False), mode="compliance")

    with worm_store.override(plain), pytest.raises(WormStoreRefused):
        anchored()
    assert not WormReference.objects.exists()
