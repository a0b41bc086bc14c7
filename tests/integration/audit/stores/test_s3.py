"""The S3 store against a real server with Object Lock: SeaweedFS. What that server itself does wrong is named here."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError, FlexibleChecksumError, IncompleteReadError

from governance.audit.errors import (
    HoldActive,
    RetentionActive,
    WormKeyInvalid,
    WormObjectAltered,
    WormObjectMissing,
    WormOverwriteRefused,
    WormRetentionInvalid,
    WormStoreRefused,
    WormUnavailable,
)
from governance.audit.stores.s3 import S3WormStore
from governance.audit.stores.s3_bucket import S3Bucket, connect
from governance.audit.types import WormObject
from governance.kernel import clock
from governance.kernel.canonical import sha256_hex, timestamp
from governance.kernel.clock import ManualClock
from governance.kernel.errors import GovernanceError
from tests.s3 import CREDENTIALS, REGION, S3Server, moto

KEY = "evidence/2026/04/01/job/0190.json"
DATA = b'{"payload":"..."}'
OTHER = b"other bytes"
DAY = timedelta(days=1)


@pytest.fixture(scope="module", autouse=True)
def credentials() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        yield


@pytest.fixture
def server(s3_server: S3Server) -> S3Server:
    return s3_server


@pytest.fixture
def bucket(server: S3Server) -> S3Bucket:
    return server.bucket()


@pytest.fixture(params=["compliance", "governance"])
def store(bucket: S3Bucket, request: pytest.FixtureRequest) -> S3WormStore:
    return S3WormStore(bucket=bucket, mode=request.param)


@pytest.fixture
def until() -> datetime:
    return (clock.now() + DAY).replace(microsecond=0)


@pytest.fixture
def stored(store: S3WormStore, until: datetime) -> WormObject:
    return store.put(key=KEY, data=DATA, retain_until=until)


def where(stored: WormObject) -> dict[str, str]:
    return {"uri": stored.uri, "version_id": stored.version_id}


def test_put_then_get_head_find_and_verify(
    store: S3WormStore, stored: WormObject, bucket: S3Bucket, until: datetime, request: pytest.FixtureRequest
) -> None:
    assert stored == WormObject(
        key=KEY,
        uri=bucket.uri_prefix + KEY,
        version_id=stored.version_id,
        sha256=sha256_hex(DATA),
        size=len(DATA),
        retain_until=until,
        mode=request.node.callspec.params["store"],
        stored_at=stored.stored_at,
    )
    assert store.get(**where(stored)) == DATA
    assert store.head(**where(stored)) == store.verify(**where(stored)) == store.find(key=KEY) == stored
    assert abs(clock.now() - stored.stored_at) < timedelta(minutes=1)


def test_the_checksum_is_checked_and_kept_by_the_server(stored: WormObject, bucket: S3Bucket) -> None:
    known = bucket.call("head_object", key=KEY, VersionId=stored.version_id, ChecksumMode="ENABLED")

    assert known["ChecksumSHA256"]
    assert known["Metadata"] == {"sha256": sha256_hex(DATA), "stored-at": timestamp(stored.stored_at)}


def test_a_part_of_a_second_is_rounded_up(store: S3WormStore, until: datetime) -> None:
    stored = store.put(key=KEY, data=DATA, retain_until=until + timedelta(microseconds=1))

    assert stored.retain_until == until + timedelta(seconds=1)


def test_same_bytes_again_give_the_same_object_kept_longer(
    store: S3WormStore, stored: WormObject, until: datetime
) -> None:
    assert store.put(key=KEY, data=DATA, retain_until=until - timedelta(hours=1)) == stored

    later = store.put(key=KEY, data=DATA, retain_until=until + DAY)

    assert later == replace(stored, retain_until=until + DAY)
    assert len(list(store.listing(prefix=KEY))) == 1


def test_other_bytes_under_the_same_key_are_refused(store: S3WormStore, stored: WormObject, until: datetime) -> None:
    with pytest.raises(WormOverwriteRefused) as caught:
        store.put(key=KEY, data=OTHER, retain_until=until)

    assert caught.value.details == {"key": KEY}
    assert store.get(**where(stored)) == DATA
    assert len(list(store.listing(prefix=KEY))) == 1


def test_many_writers_of_one_key_agree(bucket: S3Bucket, until: datetime) -> None:
    results: list[WormObject | GovernanceError] = []
    stores = [S3WormStore(bucket=bucket, mode="compliance") for _ in range(6)]
    stores[0].ready()

    def write(store: S3WormStore, data: bytes) -> None:
        try:
            results.append(store.put(key=KEY, data=data, retain_until=until))
        except GovernanceError as error:
            results.append(error)

    threads = [
        threading.Thread(target=write, args=(store, data))
        for store, data in zip(stores, [DATA, OTHER] * 3, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    objects = [each for each in results if isinstance(each, WormObject)]
    assert [type(each) for each in results if isinstance(each, GovernanceError)] == [WormOverwriteRefused] * 3
    assert len(set(objects)) == 1


class Lossy:
    """A client whose answer to the first write gets lost on its way, so that the write is repeated."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.writes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_object(self, **given: Any) -> Any:
        self._client.put_object(**given)
        self.writes += 1
        return self._client.put_object(**given)


def test_a_write_that_is_repeated_after_a_lost_answer_makes_one_version(server: S3Server, bucket: S3Bucket) -> None:
    S3WormStore(bucket=bucket, mode="compliance").ready()
    lossy = Lossy(server.client())
    store = S3WormStore(bucket=S3Bucket(client=lossy, name=bucket.name, prefix=bucket.prefix), mode="compliance")
    store._proven = True

    stored = store.put(key=KEY, data=DATA, retain_until=clock.now() + DAY)

    assert lossy.writes == 1
    assert stored.sha256 == sha256_hex(DATA)
    assert len(list(store.listing(prefix=KEY))) == 1


# what the lock refuses


def test_delete_is_refused_by_us_and_by_the_store(
    store: S3WormStore, stored: WormObject, bucket: S3Bucket, until: datetime
) -> None:
    with pytest.raises(RetentionActive, match="is kept until"):
        store.delete(**where(stored))
    with pytest.raises(ClientError, match="AccessDenied"):
        bucket._client.delete_object(Bucket=bucket.name, Key=bucket.prefix + KEY, VersionId=stored.version_id)
    with clock.using(ManualClock(until + DAY)), pytest.raises(WormUnavailable, match="refused to delete"):
        store.delete(**where(stored))  # our clock is wrong, the store's is not

    assert store.get(**where(stored)) == DATA


def test_an_object_whose_retention_is_over_is_deleted(bucket: S3Bucket, store: S3WormStore) -> None:
    store.ready()
    version = bucket.write("old", DATA)

    store.delete(uri=bucket.uri_prefix + "old", version_id=version)

    assert store.find(key="old") is None
    with pytest.raises(WormObjectMissing, match="is missing in version"):
        store.delete(uri=bucket.uri_prefix + "old", version_id=version)


def test_retention_is_only_extended(store: S3WormStore, stored: WormObject, until: datetime) -> None:
    assert store.extend(**where(stored), retain_until=until) == stored

    later = store.extend(**where(stored), retain_until=until + DAY)

    assert later == store.head(**where(stored)) == replace(stored, retain_until=until + DAY)
    with pytest.raises(WormRetentionInvalid, match="only be extended"):
        store.extend(**where(stored), retain_until=until)
    with pytest.raises(WormRetentionInvalid, match="future"):
        store.extend(**where(stored), retain_until=datetime(2020, 1, 1, tzinfo=UTC))


def test_a_legal_hold_is_set_and_released(store: S3WormStore, stored: WormObject, bucket: S3Bucket) -> None:
    held = store.hold(**where(stored))
    assert held == store.hold(**where(stored)) == replace(stored, held=True)

    with pytest.raises(HoldActive, match="legal hold"):
        store.delete(**where(stored))

    assert store.release_hold(**where(stored)) == store.release_hold(**where(stored)) == stored


def test_retention_can_be_a_hundred_years(store: S3WormStore) -> None:
    until = clock.now().replace(microsecond=0) + timedelta(days=36_500)

    assert store.put(key="for-ever", data=DATA, retain_until=until).retain_until == until


# what is done behind our back


def test_a_later_version_does_not_replace_the_first_and_is_reported(
    store: S3WormStore, stored: WormObject, bucket: S3Bucket, until: datetime
) -> None:
    bucket.write(KEY, OTHER)

    with pytest.raises(WormObjectAltered, match="put other bytes over it") as caught:
        store.find(key=KEY)
    with pytest.raises(WormObjectAltered):
        store.put(key=KEY, data=DATA, retain_until=until)

    assert caught.value.details == {"key": KEY, "version_id": stored.version_id, "versions": 2}
    assert store.get(**where(stored)) == DATA


def test_a_delete_without_version_is_only_a_marker_and_is_reported(
    store: S3WormStore, stored: WormObject, bucket: S3Bucket
) -> None:
    bucket.call("delete_object", key=KEY)

    with pytest.raises(WormObjectAltered, match="tried to delete it"):
        store.find(key=KEY)
    listed = {(each.version_id == stored.version_id, str(each.condition)) for each in store.listing(prefix=KEY)}
    assert listed == {(True, "sound"), (False, "deleted")}
    assert store.verify(**where(stored)) == stored


def test_after_a_marker_the_key_is_free_for_a_condition_but_not_for_us(
    store: S3WormStore, stored: WormObject, bucket: S3Bucket, until: datetime
) -> None:
    """As Amazon S3 does: `If-None-Match: *` looks at the newest version, and a marker is none."""
    bucket.call("delete_object", key=KEY)

    with pytest.raises(WormObjectAltered):
        store.put(key=KEY, data=OTHER, retain_until=until)

    assert store.get(**where(stored)) == DATA


def test_the_same_bytes_put_again_behind_our_back_alter_nothing(
    store: S3WormStore, stored: WormObject, bucket: S3Bucket
) -> None:
    bucket.write(KEY, DATA)

    assert store.find(key=KEY) == stored


def test_the_same_bytes_left_without_a_lock_are_locked_by_the_next_put(
    store: S3WormStore, bucket: S3Bucket, until: datetime
) -> None:
    store.ready()
    version = bucket.write(KEY, DATA)

    stored = store.put(key=KEY, data=DATA, retain_until=until)

    assert (stored.version_id, stored.retain_until) == (version, until)
    assert stored.mode in ("compliance", "governance")


def test_a_checksum_that_differs_from_what_was_noted_is_reported(store: S3WormStore, bucket: S3Bucket) -> None:
    version = bucket.write(KEY, OTHER, Metadata={"sha256": sha256_hex(DATA)})

    with pytest.raises(WormObjectAltered, match="differs from the stored one"):
        store.head(uri=bucket.uri_prefix + KEY, version_id=version)


def test_bytes_are_rehashed_when_they_are_read(
    store: S3WormStore, stored: WormObject, bucket: S3Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(S3Bucket, "read", lambda *given: DATA.replace(b".", b"!"))

    for read in (store.get, store.verify):
        with pytest.raises(WormObjectAltered, match="differ from those that were stored"):
            read(**where(stored))


def test_unknown_objects_and_places(store: S3WormStore, stored: WormObject) -> None:
    assert store.find(key="evidence/none") is None
    with pytest.raises(WormObjectMissing):
        store.get(uri=stored.uri, version_id="0" * 32)
    with pytest.raises(WormKeyInvalid, match="does not start with"):
        store.head(uri="s3://elsewhere/a", version_id="1")
    with pytest.raises(WormKeyInvalid):
        store.find(key="../a")
    with pytest.raises(WormRetentionInvalid):
        store.put(key="a", data=DATA, retain_until=datetime(2020, 1, 1, tzinfo=UTC))


def test_listing_goes_through_all_pages(store: S3WormStore, bucket: S3Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {f"policy/{number}" for number in range(5)}
    for key in keys:
        bucket.write(key, DATA)
        bucket.write(key, OTHER)
    bucket.write("policies", DATA)
    real = bucket._client.list_object_versions
    monkeypatch.setattr(bucket._client, "list_object_versions", lambda **given: real(MaxKeys=3, **given))

    found = [(each.key, each.version_id) for each in store.listing(prefix="policy/")]

    assert {key for key, _ in found} == keys
    assert len(found) == len(set(found)) == 10
    assert len(bucket.versions_of("policy/0")) == 2


def test_a_page_of_another_store_is_read_as_it_is(store: S3WormStore, bucket: S3Bucket) -> None:
    version = bucket.write("foreign", DATA, Metadata={"stored-at": "long ago"})

    assert store.head(uri=bucket.uri_prefix + "foreign", version_id=version).mode == "unlocked"


class Stubborn:
    """A client whose server says yes to every change of a lock and changes nothing, or says no."""

    def __init__(self, client: Any, **answers: Callable[..., Any]) -> None:
        self._client = client
        self._answers = answers

    def __getattr__(self, name: str) -> Any:
        return self._answers.get(name) or getattr(self._client, name)


def refuse(code: str, status: int) -> Callable[..., Any]:
    def refusing(**given: Any) -> Any:
        raise ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Any")

    return refusing


def stubborn(server: S3Server, bucket: S3Bucket, **answers: Callable[..., Any]) -> S3WormStore:
    client = Stubborn(server.client(), **answers)
    store = S3WormStore(bucket=S3Bucket(client=client, name=bucket.name, prefix=bucket.prefix), mode="compliance")
    store._proven = True
    return store


@pytest.mark.parametrize("answer", [lambda **given: {}, refuse("AccessDenied", 403), refuse("SlowDown", 503)])
def test_a_lock_that_is_not_set_is_noticed(
    server: S3Server, stored: WormObject, bucket: S3Bucket, until: datetime, answer: Callable[..., Any]
) -> None:
    store = stubborn(server, bucket, put_object_retention=answer, put_object_legal_hold=answer)

    with pytest.raises(WormUnavailable):
        store.extend(**where(stored), retain_until=until + DAY)
    with pytest.raises(WormUnavailable):
        store.hold(**where(stored))


@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        ("put_object", refuse("AccessDenied", 403)),
        ("put_object", refuse("PreconditionFailed", 412)),
        ("list_object_versions", refuse("AccessDenied", 403)),
    ],
)
def test_an_object_that_is_not_stored_is_noticed(
    server: S3Server, bucket: S3Bucket, until: datetime, operation: str, answer: Callable[..., Any]
) -> None:
    with pytest.raises(WormUnavailable):
        stubborn(server, bucket, **{operation: answer}).put(key=KEY, data=DATA, retain_until=until)


def body_that(error: Exception) -> Callable[..., Any]:
    return lambda **given: {"Body": Mock(read=Mock(side_effect=error))}


def test_bytes_that_do_not_arrive_whole(server: S3Server, stored: WormObject, bucket: S3Bucket) -> None:
    broken = IncompleteReadError(actual_bytes=1, expected_bytes=2)
    with pytest.raises(WormUnavailable, match="broke off"):
        stubborn(server, bucket, get_object=body_that(broken)).get(**where(stored))
    with pytest.raises(WormUnavailable, match="refused to read"):
        stubborn(server, bucket, get_object=refuse("AccessDenied", 403)).get(**where(stored))
    with pytest.raises(WormObjectAltered, match="do not match its checksum"):
        stubborn(server, bucket, get_object=body_that(FlexibleChecksumError(error_msg="x"))).get(**where(stored))


# the server


def test_tls_is_spoken_and_the_certificate_checked(server: S3Server) -> None:
    store = S3WormStore(bucket=server.bucket(tls=True), mode="compliance")
    assert store.put(key=KEY, data=DATA, retain_until=clock.now() + DAY).mode == "compliance"

    unknown = connect(region=REGION, endpoint=server.tls_endpoint, ca="")
    with pytest.raises(WormUnavailable, match=r"SSL validation failed"):
        S3WormStore(bucket=S3Bucket(client=unknown, name="any"), mode="compliance").find(key=KEY)


def test_a_server_that_no_longer_exists_is_unavailable() -> None:
    client = connect(region=REGION, endpoint="http://127.0.0.1:9", ca="")
    store = S3WormStore(bucket=S3Bucket(client=client, name="any"), mode="compliance")

    for call in (store.ready, lambda: store.find(key=KEY), lambda: list(store.listing())):
        with pytest.raises(WormUnavailable, match="does not answer"):
            call()


def test_a_bucket_that_no_longer_exists_is_unavailable(server: S3Server) -> None:
    store = S3WormStore(bucket=S3Bucket(client=server.client(), name="gone"), mode="compliance")

    with pytest.raises(WormUnavailable, match="NoSuchBucket"):
        store.find(key=KEY)


# what SeaweedFS itself does wrong


def test_the_server_changes_its_date_with_the_lock_so_ours_is_kept(
    store: S3WormStore, stored: WormObject, bucket: S3Bucket, until: datetime
) -> None:
    """Amazon S3 leaves LastModified alone when a retention or a hold is set; SeaweedFS sets it to that moment."""
    time.sleep(1.1)

    assert store.extend(**where(stored), retain_until=until + DAY).stored_at == stored.stored_at
    assert bucket.versions_of(KEY)[0].stored_at > stored.stored_at


def test_the_server_ignores_the_lock_that_is_asked_for_a_copy(
    store: S3WormStore, stored: WormObject, bucket: S3Bucket, until: datetime
) -> None:
    """It gives the copy the lock of its source. We never copy; the source keeps what it has."""
    source = {"Bucket": bucket.name, "Key": bucket.prefix + KEY, "VersionId": stored.version_id}
    lock = {"ObjectLockMode": stored.mode.upper(), "ObjectLockRetainUntilDate": until + DAY}
    copy = bucket.call("copy_object", key="copy", CopySource=source, **lock)

    assert bucket.head("copy", copy["VersionId"]).retain_until == until
    assert store.verify(**where(stored)) == stored


def test_without_the_servers_interface_there_is_no_lock(
    server: S3Server, store: S3WormStore, stored: WormObject, bucket: S3Bucket
) -> None:
    """Its filer takes deletions from whoever reaches its port, without a password: a lock is worth its whole server."""
    folder = f"{server.filer}/buckets/{bucket.name}/{bucket.prefix}evidence/?recursive=true"
    with urlopen(Request(folder, method="DELETE"), timeout=120) as answer:
        assert answer.status == 204

    with pytest.raises(WormObjectMissing):
        store.get(**where(stored))
    with pytest.raises(WormObjectMissing):
        store.verify(**where(stored))


# the probe

ON_THE_BUCKET = ["using a bucket without Object Lock", "using a bucket without versions"]


@pytest.mark.parametrize(("mode", "attempts"), [("compliance", 13), ("governance", 10)])
def test_a_store_that_keeps_its_promise_passes_the_probe(server: S3Server, mode: str, attempts: int) -> None:
    findings = S3WormStore(bucket=server.bucket(), mode=mode).probe()

    assert [each.attempt for each in findings if not each.refused] == []
    assert len(findings) == attempts


def test_a_bucket_without_lock_is_refused(server: S3Server) -> None:
    store = S3WormStore(bucket=server.bucket(lock=False), mode="compliance")

    with pytest.raises(WormStoreRefused, match="using a bucket without Object Lock") as caught:
        store.put(key=KEY, data=DATA, retain_until=clock.now() + DAY)

    allowed: list[str] = caught.value.details["allowed"]
    assert [each.split(" (")[0] for each in allowed] == ON_THE_BUCKET
    assert list(store.listing()) == []


def test_the_probe_is_made_once_and_a_refusal_is_remembered_for_a_while(
    server: S3Server, bucket: S3Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = (S3WormStore(bucket=each, mode="compliance") for each in (bucket, server.bucket(lock=False)))
    good.ready()
    with pytest.raises(WormStoreRefused):
        bad.ready()
    monkeypatch.setattr(S3WormStore, "probe", lambda self: pytest.fail("probed again"))

    good.ready()
    with pytest.raises(WormStoreRefused):
        bad.ready()
    monkeypatch.setattr(bucket._client, "list_object_versions", refuse("AccessDenied", 403))
    with pytest.raises(WormUnavailable):
        good.ready()


def test_what_an_earlier_probe_left_is_removed_once_it_may_be(bucket: S3Bucket) -> None:
    store = S3WormStore(bucket=bucket, mode="compliance")
    store.probe()
    first = {each.version_id for each in store.listing(prefix="probe/")}

    with clock.using(ManualClock(clock.now() + timedelta(minutes=11))):
        store.probe()  # the server's clock has not moved: it keeps what is locked, and that is no error

    left = {each.version_id for each in store.listing(prefix="probe/")}
    assert first < left


GIVES_IN: dict[str, Callable[..., Any]] = {
    "delete_object": lambda **given: {},
    "get_object_lock_configuration": lambda **given: {},
    "put_object_legal_hold": lambda **given: {},
}


def test_a_server_that_says_yes_to_everything_is_refused(server: S3Server, bucket: S3Bucket) -> None:
    lock = {"get_object_lock_configuration": server.client().get_object_lock_configuration}
    without_lock = stubborn(server, bucket, **GIVES_IN)
    lets_go = stubborn(server, bucket, **(GIVES_IN | lock))

    assert [each.detail for each in without_lock.probe() if not each.refused] == ["it is not enabled"]
    assert [each.attempt for each in lets_go.probe() if not each.refused] == [
        "deleting a locked version",
        "deleting a version under legal hold",
        "deleting a locked version with the governance bypass",
    ]


def test_a_server_that_overwrites_is_refused(server: S3Server, bucket: S3Bucket) -> None:
    client = server.client()

    def unconditional(**given: Any) -> Any:
        return client.put_object(**{name: value for name, value in given.items() if name != "IfNoneMatch"})

    def without_lock(**given: Any) -> Any:
        return client.put_object(**{name: value for name, value in given.items() if "ObjectLock" not in name})

    def same_version(**given: Any) -> Any:
        return client.put_object(**given) | {"VersionId": "one"}

    def changed(**given: Any) -> Any:
        return {"Body": Mock(read=Mock(return_value=b"other"))}

    def failures(**answers: Callable[..., Any]) -> dict[str, str]:
        return {each.attempt: each.detail for each in stubborn(server, bucket, **answers).probe() if not each.refused}

    assert list(failures(put_object=unconditional)) == ["storing a second content under one key"]
    assert "storing an object without its lock" in failures(put_object=without_lock)
    assert "overwriting a locked version" in failures(get_object=changed)
    told = failures(put_object=same_version)
    assert "could not be tried" in told["storing an object without its lock"]


@pytest.fixture(scope="module")
def lax(credentials: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with moto(tmp_path_factory.mktemp("moto")) as running:
        yield running


def test_a_server_that_takes_the_parameters_and_keeps_nothing_is_refused_with_what_it_allowed(lax: S3Server) -> None:
    store = S3WormStore(bucket=lax.bucket(), mode="compliance")

    with pytest.raises(WormStoreRefused) as caught:
        store.put(key=KEY, data=DATA, retain_until=clock.now() + DAY)

    assert [each.split(" (")[0] for each in caught.value.details["allowed"]] == [
        "storing damaged bytes",
        "shortening a retention",
        "removing a retention",
        "shortening a retention with the governance bypass",
        "downgrading compliance to governance",
    ]
    assert "downgrading compliance to governance (mode governance, until" in caught.value.message
    assert list(store.listing(prefix="evidence/")) == []


def test_the_lax_server_is_refused_in_governance_mode_too(lax: S3Server) -> None:
    allowed = [each.attempt for each in S3WormStore(bucket=lax.bucket(), mode="governance").probe() if not each.refused]

    assert allowed == ["storing damaged bytes", "shortening a retention", "removing a retention"]
