import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from governance.audit.errors import (
    HoldActive,
    RetentionActive,
    WormClockFault,
    WormKeyInvalid,
    WormObjectAltered,
    WormObjectMissing,
    WormOverwriteRefused,
    WormRetentionInvalid,
    WormUnavailable,
)
from governance.audit.stores import filesystem as worm_filesystem
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.audit.types import WormObject
from governance.kernel import clock
from governance.kernel.canonical import sha256_hex
from governance.kernel.clock import ManualClock
from governance.kernel.errors import GovernanceError

START = datetime(2026, 4, 1, 9, tzinfo=UTC)
UNTIL = START + timedelta(days=30)
KEY = "evidence/2026/04/01/job/0190.json"
DATA = b'{"payload":"..."}'


@pytest.fixture
def manual() -> Iterator[ManualClock]:
    with clock.using(ManualClock(START)) as stopped:
        yield stopped  # type: ignore[misc]


@pytest.fixture
def store(tmp_path: Path, manual: ManualClock) -> FilesystemWormStore:
    return FilesystemWormStore(tmp_path / "worm")


@pytest.fixture
def stored(store: FilesystemWormStore) -> WormObject:
    return store.put(key=KEY, data=DATA, retain_until=UNTIL)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "worm" / "objects" / KEY


@pytest.fixture
def sidecar(tmp_path: Path) -> Path:
    return tmp_path / "worm" / "retention" / KEY / "000001.json"


def overwrite(path: Path, data: bytes) -> None:
    """Change a file behind the store's back, as its owner can."""
    path.chmod(0o644)
    path.write_bytes(data)


def where(stored: WormObject) -> dict[str, str]:
    return {"uri": stored.uri, "version_id": stored.version_id}


def test_put_then_get_head_and_verify(
    store: FilesystemWormStore, stored: WormObject, path: Path, tmp_path: Path
) -> None:
    assert stored == WormObject(
        key=KEY,
        uri="worm+file:" + KEY,
        version_id="sha256-" + sha256_hex(DATA)[:32],
        sha256=sha256_hex(DATA),
        size=len(DATA),
        retain_until=UNTIL,
        mode="filesystem",
        stored_at=START,
    )
    assert store.get(**where(stored)) == DATA
    assert store.head(**where(stored)) == store.verify(**where(stored)) == stored
    assert path.stat().st_mode & 0o777 == 0o444
    assert list((tmp_path / "worm" / "staging").iterdir()) == []


def test_sidecar_says_what_was_stored(stored: WormObject, sidecar: Path) -> None:
    assert sidecar.stat().st_mode & 0o777 == 0o444
    assert json.loads(sidecar.read_bytes()) == {
        "key": KEY,
        "mode": "filesystem",
        "retain_until": "2026-05-01T09:00:00.000000Z",
        "sha256": stored.sha256,
        "size": len(DATA),
        "stored_at": "2026-04-01T09:00:00.000000Z",
        "version_id": stored.version_id,
    }


def test_a_new_store_object_sees_what_was_stored(tmp_path: Path, stored: WormObject) -> None:
    assert FilesystemWormStore(tmp_path / "worm").verify(**where(stored)) == stored


def test_same_bytes_again_give_the_same_object(
    store: FilesystemWormStore, stored: WormObject, manual: ManualClock
) -> None:
    manual.advance(seconds=60)

    assert store.put(key=KEY, data=DATA, retain_until=UNTIL) == stored
    assert store.put(key=KEY, data=DATA, retain_until=UNTIL - timedelta(days=1)) == stored


def test_retention_is_extended_and_never_shortened(
    store: FilesystemWormStore, stored: WormObject, manual: ManualClock
) -> None:
    later = UNTIL + timedelta(days=10)
    manual.advance(seconds=60)

    extended = store.put(key=KEY, data=DATA, retain_until=later)
    store.put(key=KEY, data=DATA, retain_until=UNTIL)

    assert extended.retain_until == store.head(**where(stored)).retain_until == later
    assert extended.stored_at == START
    assert extended.version_id == stored.version_id


def test_other_bytes_under_the_same_key_are_refused(store: FilesystemWormStore, stored: WormObject) -> None:
    with pytest.raises(WormOverwriteRefused, match="0190"):
        store.put(key=KEY, data=b"other", retain_until=UNTIL)
    assert store.get(**where(stored)) == DATA


def test_other_bytes_are_refused_even_when_the_file_was_taken_away(
    store: FilesystemWormStore, stored: WormObject, path: Path
) -> None:
    path.unlink()

    with pytest.raises(WormOverwriteRefused):
        store.put(key=KEY, data=b"other", retain_until=UNTIL)
    store.put(key=KEY, data=DATA, retain_until=UNTIL)
    assert store.get(**where(stored)) == DATA


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../outside",
        "a/../b",
        "a/./b",
        "a//b",
        "a/",
        ".hidden",
        "a/.hidden",
        "a\\b",
        "a b",
        "a\nb",
        "a\n",
        "ä",
        "a\x00b",
        "x" * 201,
        "a/" * 240 + "a",
    ],
)
def test_keys_that_could_lead_elsewhere_are_refused(store: FilesystemWormStore, key: str) -> None:
    with pytest.raises(WormKeyInvalid):
        store.put(key=key, data=DATA, retain_until=UNTIL)
    with pytest.raises(WormKeyInvalid):
        store.get(uri="worm+file:" + key, version_id="any")


@pytest.mark.parametrize("uri", [KEY, "file:///etc/passwd", "s3://bucket/key"])
def test_foreign_uris_are_refused(store: FilesystemWormStore, uri: str) -> None:
    with pytest.raises(WormKeyInvalid, match="worm\\+file"):
        store.get(uri=uri, version_id="any")


@pytest.mark.parametrize("tree", ["objects", "retention"])
def test_a_directory_link_out_of_the_store_is_refused(
    store: FilesystemWormStore, stored: WormObject, tmp_path: Path, tree: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "worm" / tree / "linked").symlink_to(outside)

    with pytest.raises(WormKeyInvalid, match="leads out"):
        store.put(key="linked/a", data=DATA, retain_until=UNTIL)
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("moment", [START, START - timedelta(days=1), UNTIL.replace(tzinfo=None)])
def test_retention_must_be_in_the_future_and_have_a_zone(store: FilesystemWormStore, moment: datetime) -> None:
    with pytest.raises(WormRetentionInvalid):
        store.put(key=KEY, data=DATA, retain_until=moment)


def test_delete_is_refused_until_the_retention_ends(
    store: FilesystemWormStore, stored: WormObject, path: Path, sidecar: Path, manual: ManualClock
) -> None:
    manual.advance(seconds=timedelta(days=30).total_seconds() - 1)
    with pytest.raises(RetentionActive, match=r"kept until 2026-05-01T09:00:00\.000000Z") as caught:
        store.delete(**where(stored))
    assert caught.value.details == {"key": KEY, "retain_until": "2026-05-01T09:00:00.000000Z"}
    assert store.get(**where(stored)) == DATA

    manual.advance(seconds=1)
    store.delete(**where(stored))

    assert not path.exists()
    assert not sidecar.parent.exists()
    with pytest.raises(WormObjectMissing):
        store.delete(**where(stored))


def test_an_extended_object_is_deleted_only_after_the_extension(
    store: FilesystemWormStore, stored: WormObject, manual: ManualClock, path: Path
) -> None:
    store.put(key=KEY, data=DATA, retain_until=UNTIL + timedelta(days=1))
    manual.advance(seconds=timedelta(days=30).total_seconds())
    with pytest.raises(RetentionActive):
        store.delete(**where(stored))

    manual.advance(seconds=timedelta(days=1).total_seconds())
    store.delete(**where(stored))
    assert not path.exists()


def test_delete_that_was_cut_short_is_completed(
    store: FilesystemWormStore, stored: WormObject, path: Path, sidecar: Path, manual: ManualClock
) -> None:
    manual.advance(seconds=timedelta(days=31).total_seconds())
    path.unlink()

    store.delete(**where(stored))

    assert not sidecar.exists()


def test_altered_bytes_are_named(store: FilesystemWormStore, stored: WormObject, path: Path) -> None:
    overwrite(path, DATA.replace(b".", b"!"))

    for read in (store.get, store.verify):
        with pytest.raises(WormObjectAltered, match=r"job/0190\.json was altered") as caught:
            read(**where(stored))
        assert caught.value.error_code == "worm_object_altered"
        assert caught.value.details == {"key": KEY}
    with pytest.raises(WormObjectAltered, match="other bytes"):
        store.put(key=KEY, data=DATA, retain_until=UNTIL)


def test_missing_bytes_are_named(store: FilesystemWormStore, stored: WormObject, path: Path) -> None:
    path.unlink()

    for read in (store.get, store.verify, store.head):
        with pytest.raises(WormObjectMissing, match=r"job/0190\.json is missing"):
            read(**where(stored))


def test_unknown_object_and_other_version(store: FilesystemWormStore, stored: WormObject) -> None:
    with pytest.raises(WormObjectMissing):
        store.get(uri="worm+file:evidence/none.json", version_id=stored.version_id)
    with pytest.raises(WormObjectAltered, match="holds version"):
        store.get(uri=stored.uri, version_id="sha256-" + "0" * 32)


def test_a_store_that_was_never_written_is_empty(store: FilesystemWormStore, tmp_path: Path) -> None:
    with pytest.raises(WormObjectMissing):
        store.head(uri="worm+file:a", version_id="any")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": sha256_hex(b"other")},
        {"key": "evidence/other.json"},
        {"retain_until": "2026-04-02T00:00:00"},
        {"retain_until": "soon"},
        {"sha256": 5},
        {"unknown": 1},
    ],
)
def test_edited_sidecar_is_noticed(
    store: FilesystemWormStore, stored: WormObject, sidecar: Path, change: dict[str, Any]
) -> None:
    overwrite(sidecar, json.dumps(json.loads(sidecar.read_bytes()) | change).encode())

    with pytest.raises(WormObjectAltered, match="its metadata"):
        store.head(**where(stored))


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff"])
def test_broken_sidecar_is_noticed(store: FilesystemWormStore, stored: WormObject, sidecar: Path, data: bytes) -> None:
    overwrite(sidecar, data)

    with pytest.raises(WormObjectAltered):
        store.get(**where(stored))


@pytest.mark.parametrize("change", [{"sha256": sha256_hex(b"other")}, {"retain_until": "2026-04-02T00:00:00+00:00"}])
def test_contradicting_sidecars_are_noticed(
    store: FilesystemWormStore, stored: WormObject, sidecar: Path, change: dict[str, Any]
) -> None:
    second = sidecar.with_name("000002.json")
    second.write_text(json.dumps(json.loads(sidecar.read_bytes()) | change))

    with pytest.raises(WormObjectAltered, match="contradict"):
        store.head(**where(stored))


def test_missing_sidecar_among_several_is_noticed(
    store: FilesystemWormStore, stored: WormObject, sidecar: Path
) -> None:
    store.put(key=KEY, data=DATA, retain_until=UNTIL + timedelta(days=1))
    sidecar.unlink()

    with pytest.raises(WormObjectAltered, match=r"retention entries are 000002\.json"):
        store.head(**where(stored))


def test_object_swapped_for_a_link_or_a_directory_is_noticed(
    store: FilesystemWormStore, stored: WormObject, path: Path, tmp_path: Path
) -> None:
    path.unlink()
    (tmp_path / "copy").write_bytes(DATA)
    path.symlink_to(tmp_path / "copy")
    with pytest.raises(WormObjectAltered, match="plain file"):
        store.get(**where(stored))

    path.unlink()
    path.mkdir()
    with pytest.raises(WormObjectAltered, match="plain file"):
        store.get(**where(stored))


def test_find_and_listing(store: FilesystemWormStore, stored: WormObject) -> None:
    other = store.put(key="evidence/2027/a", data=b"a", retain_until=UNTIL)
    third = store.put(key="policy/b", data=b"b", retain_until=UNTIL)

    assert store.find(key=KEY) == stored
    assert store.find(key="evidence/none") is None
    known = {(each.uri, each.version_id, each.size) for each in store.listing()}
    assert known == {(each.uri, each.version_id, each.size) for each in (stored, other, third)}
    assert {each.key for each in store.listing(prefix="evidence/20")} == {KEY, "evidence/2027/a"}
    with pytest.raises(WormKeyInvalid):
        store.find(key="../outside")


def test_nothing_is_listed_before_the_first_put(store: FilesystemWormStore) -> None:
    assert list(store.listing()) == []


def test_listing_goes_on_past_a_damaged_object(store: FilesystemWormStore, stored: WormObject, sidecar: Path) -> None:
    store.put(key="other", data=b"a", retain_until=UNTIL)
    overwrite(sidecar, b"{}")

    assert {(each.key, each.condition) for each in store.listing()} == {(KEY, "damaged"), ("other", "sound")}


def test_a_listing_that_cannot_be_read_is_unavailable(
    store: FilesystemWormStore, stored: WormObject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)

    with pytest.raises(WormUnavailable, match="Permission denied"):
        list(store.listing())


def test_extend_only_goes_forward(store: FilesystemWormStore, stored: WormObject, manual: ManualClock) -> None:
    later = store.extend(**where(stored), retain_until=UNTIL + timedelta(days=1))

    assert later == replace(stored, retain_until=UNTIL + timedelta(days=1))
    assert store.extend(**where(stored), retain_until=later.retain_until) == later == store.head(**where(stored))
    with pytest.raises(WormRetentionInvalid, match="only be extended"):
        store.extend(**where(stored), retain_until=UNTIL)
    with pytest.raises(WormRetentionInvalid, match="future"):
        store.extend(**where(stored), retain_until=START)


def test_a_hold_outlasts_the_retention(store: FilesystemWormStore, stored: WormObject, manual: ManualClock) -> None:
    held = store.hold(**where(stored))
    assert held == store.hold(**where(stored)) == store.head(**where(stored)) == store.verify(**where(stored))
    assert held == replace(stored, held=True)

    manual.advance(seconds=timedelta(days=31).total_seconds())
    with pytest.raises(HoldActive, match="legal hold") as caught:
        store.delete(**where(stored))
    assert caught.value.error_code == "worm_hold_active"

    assert store.release_hold(**where(stored)) == store.release_hold(**where(stored)) == stored
    store.delete(**where(stored))
    with pytest.raises(WormObjectMissing):
        store.hold(**where(stored))


def test_clock_that_went_back_stops_puts_and_deletes(
    store: FilesystemWormStore, stored: WormObject, manual: ManualClock
) -> None:
    manual.advance(seconds=-3)

    with pytest.raises(WormClockFault, match=r"has seen 2026-04-01T09:00:00\.000000Z") as caught:
        store.put(key="another", data=DATA, retain_until=UNTIL)
    assert caught.value.error_code == "worm_clock_fault"
    with pytest.raises(WormClockFault):
        store.delete(**where(stored))
    assert store.get(**where(stored)) == DATA


def test_clock_mark_survives_a_restart_and_a_small_correction(
    tmp_path: Path, store: FilesystemWormStore, stored: WormObject, manual: ManualClock
) -> None:
    manual.advance(seconds=100)
    store.put(key="b", data=DATA, retain_until=UNTIL)
    again = FilesystemWormStore(tmp_path / "worm")

    manual.advance(seconds=-2)
    again.put(key="c", data=DATA, retain_until=UNTIL)
    manual.advance(seconds=-1)
    with pytest.raises(WormClockFault):
        again.put(key="d", data=DATA, retain_until=UNTIL)


@pytest.mark.parametrize("spoil", [Path.unlink, lambda mark: mark.write_text("never")])
def test_lost_or_broken_clock_mark_stops_writes(
    store: FilesystemWormStore, stored: WormObject, tmp_path: Path, spoil: Callable[[Path], Any]
) -> None:
    spoil(tmp_path / "worm" / "clock")

    with pytest.raises(WormClockFault, match="restore it"):
        store.put(key="another", data=DATA, retain_until=UNTIL)


def fail_at(monkeypatch: pytest.MonkeyPatch, name: str, call: int) -> None:
    """Let the `call`-th use of a function of the store's module fail as if the disk were full."""
    real = getattr(worm_filesystem, name)
    calls: list[int] = []

    def failing(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        return {True: refuse, False: real}[len(calls) == call](*args, **kwargs)

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(worm_filesystem, name, failing)


@pytest.mark.parametrize("call", [1, 2])
def test_put_that_was_cut_short_shows_nothing_and_is_completed_by_the_next(
    store: FilesystemWormStore, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    uri, version_id = "worm+file:" + KEY, "sha256-" + sha256_hex(DATA)[:32]
    with monkeypatch.context() as patch:
        fail_at(patch, "create_file", call)
        with pytest.raises(WormUnavailable, match="No space left"):
            store.put(key=KEY, data=DATA, retain_until=UNTIL)
    with pytest.raises(WormObjectMissing):
        store.get(uri=uri, version_id=version_id)

    store.put(key=KEY, data=DATA, retain_until=UNTIL)

    assert store.get(uri=uri, version_id=version_id) == DATA


def test_bytes_left_by_a_cut_put_are_not_overwritten_by_others(
    store: FilesystemWormStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fail_at(patch, "create_file", 2)
        with pytest.raises(WormUnavailable):
            store.put(key=KEY, data=DATA, retain_until=UNTIL)

    assert store.find(key=KEY) is None
    with pytest.raises(WormOverwriteRefused):
        store.put(key=KEY, data=b"other", retain_until=UNTIL)
    found = store.find(key=KEY)

    assert found is not None
    assert store.get(uri=found.uri, version_id=found.version_id) == DATA
    assert found.retain_until == UNTIL


def put_and_be_killed_before_the_name_exists(root: Path) -> None:
    os.link = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
    with clock.using(ManualClock(START)):
        FilesystemWormStore(root).put(key="big", data=b"x" * 100, retain_until=UNTIL)


def test_writer_killed_while_writing_leaves_nothing_visible(store: FilesystemWormStore, tmp_path: Path) -> None:
    root = tmp_path / "worm"
    process = multiprocessing.get_context("spawn").Process(
        target=put_and_be_killed_before_the_name_exists, args=(root,)
    )
    process.start()
    process.join()
    leftovers = list((root / "staging").iterdir())

    with pytest.raises(WormObjectMissing):
        store.head(uri="worm+file:big", version_id="any")
    store.put(key="big", data=b"x" * 100, retain_until=UNTIL)

    assert process.exitcode == -signal.SIGKILL
    assert len(leftovers) == 1
    assert list((root / "staging").iterdir()) == []


def test_many_writers_of_one_key_agree(store: FilesystemWormStore, tmp_path: Path) -> None:
    results: list[WormObject | GovernanceError] = []

    def write(data: bytes) -> None:
        try:
            results.append(FilesystemWormStore(tmp_path / "worm").put(key=KEY, data=data, retain_until=UNTIL))
        except GovernanceError as error:
            results.append(error)

    threads = [threading.Thread(target=write, args=(data,)) for data in [b"one", b"two"] * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    objects = [each for each in results if isinstance(each, WormObject)]
    refusals = [each for each in results if isinstance(each, WormOverwriteRefused)]
    assert (len(objects), len(refusals)) == (5, 5)
    assert len(set(objects)) == 1
    assert store.get(**where(objects[0])) in (b"one", b"two")


def test_directory_that_cannot_be_used_is_unavailable(tmp_path: Path, manual: ManualClock) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(WormUnavailable, match="does not work"):
        FilesystemWormStore(tmp_path / "file").put(key=KEY, data=DATA, retain_until=UNTIL)
    with pytest.raises(WormUnavailable, match="cannot be written to"):
        FilesystemWormStore(tmp_path / "file").probe()


def test_a_directory_has_no_lock_to_be_tried(store: FilesystemWormStore, tmp_path: Path) -> None:
    assert store.probe() == ()
    assert list(tmp_path.iterdir()) == []


def test_unreadable_bytes_are_unavailable_not_altered(
    store: FilesystemWormStore, stored: WormObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(monkeypatch, "read_plain_file", 2)

    with pytest.raises(WormUnavailable, match="No space"):
        store.get(**where(stored))
