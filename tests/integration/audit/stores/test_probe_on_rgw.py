"""The probe at a server that behaves as Ceph RGW does; see tests/rgw.py for what is imitated."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest

from governance.audit.stores.s3 import S3WormStore
from governance.audit.stores.s3_bucket import S3Bucket
from governance.kernel import clock
from tests.rgw import rgw
from tests.s3 import CREDENTIALS, S3Server

DATA = b"evidence"


@pytest.fixture(scope="module", autouse=True)
def credentials() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        yield


@pytest.fixture
def bucket(s3_server: S3Server) -> Iterator[Callable[[str], S3Bucket]]:
    """Return what gives a bucket of RGW with a fault."""
    with ExitStack() as running:
        yield lambda fault="": running.enter_context(rgw(s3_server, fault=fault)).bucket()


@pytest.mark.parametrize("mode", ["compliance", "governance"])
def test_it_passes_where_checksums_are_checked_by_name_only(bucket, mode):
    findings = S3WormStore(bucket=bucket(), mode=mode).probe()

    assert [each for each in findings if not each.refused] == []


def test_what_is_stored_there_is_checked_by_the_server(bucket):
    store = S3WormStore(bucket=bucket(), mode="compliance")

    stored = store.put(key="evidence/1", data=DATA, retain_until=clock.now() + timedelta(days=1))

    assert store.verify(uri=stored.uri, version_id=stored.version_id) == stored


def test_damaged_bytes_pass_there_without_the_name_of_the_algorithm(bucket):
    """The imitation does what was seen of RGW: otherwise the tests above would show nothing."""
    unnamed = bucket()

    answer = unnamed.call("put_object", key="a", Body=DATA, ChecksumSHA256="A" * 43 + "=")

    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize(
    ("fault", "allowed"),
    [
        ("takes damaged bytes", {"storing damaged bytes"}),
        ("shortens", {"shortening a retention", "shortening a retention with the governance bypass"}),
        ("downgrades", {"downgrading compliance to governance"}),
        (
            "deletes",
            {
                "deleting a locked version",
                "deleting a locked version with the governance bypass",
                "deleting a version under legal hold",
            },
        ),
    ],
)
def test_one_that_lets_go_is_refused(bucket, fault, allowed):
    findings = S3WormStore(bucket=bucket(fault), mode="compliance").probe()

    assert {each.attempt for each in findings if not each.refused} == allowed


def test_each_check_tells_what_was_sent_and_what_came_back(bucket):
    findings = {each.attempt: each.exchanges for each in S3WormStore(bucket=bucket(), mode="compliance").probe()}

    [damaged] = findings["storing damaged bytes"]
    _, deleted = findings["deleting a locked version"]
    assert all(findings.values())
    assert damaged.sent.startswith("PutObject probe/")
    assert {"ChecksumAlgorithm=SHA256", "IfNoneMatch=*", "ObjectLockMode=COMPLIANCE"} <= set(damaged.sent.split())
    assert damaged.answer.startswith("400 ")
    assert deleted.sent.startswith("DeleteObject probe/")
    assert deleted.answer.startswith("403 AccessDenied")
