import json
import multiprocessing
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.kernel.errors import InvalidInput
from governance.keys.file_store import (
    DevelopmentKeyRefused,
    FileKeyStore,
    KeyStoreAltered,
    KeyStoreLocked,
    KeyStoreMissing,
    KeyStoreUnsafe,
)
from governance.keys.pairs import KeyPair
from governance.keys.ring import KeyAlgorithm, KeyPurpose, KeyRing

PASSPHRASE = "correct horse battery staple"
MESSAGE = b"message"


def store_at(path: Path, *, passphrase: str = PASSPHRASE, allow_development: bool = True) -> FileKeyStore:
    return FileKeyStore(path, passphrase, allow_development=allow_development, scrypt_n=16)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secrets" / "keys.json"


@pytest.fixture
def store(path: Path) -> FileKeyStore:
    store = store_at(path)
    store.ensure(development=True)
    return store


def rewrite(path: Path, change: dict[str, Any], *, key: int | None = None) -> None:
    document = json.loads(path.read_text())
    target = document if key is None else document["keys"][key]
    target.update(change)
    path.write_text(json.dumps(document))


def rotate_in_another_process(path: Path) -> None:
    KeyRing(store_at(path)).rotate(purpose=KeyPurpose.PERMIT)


def test_keys_survive_and_the_file_is_private(store: FileKeyStore, path: Path) -> None:
    signature = KeyRing(store).sign(purpose=KeyPurpose.EVIDENCE, message=MESSAGE)
    reopened = store_at(path)

    KeyRing(reopened).verify(purpose=KeyPurpose.EVIDENCE, message=MESSAGE, signature=signature)
    assert [pair.info for pair in reopened.load()] == [pair.info for pair in store.load()]
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in path.parent.iterdir()) == ["keys.json", "keys.json.lock"]


@pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
def test_both_algorithms_are_stored(path: Path, algorithm: KeyAlgorithm) -> None:
    store_at(path).ensure(development=True, algorithm=algorithm)

    signature = KeyRing(store_at(path)).sign(purpose=KeyPurpose.PERMIT, message=MESSAGE)

    assert signature.algorithm is algorithm


def test_private_keys_are_not_in_the_file(store: FileKeyStore, path: Path) -> None:
    text = path.read_text()

    assert "PRIVATE" not in text
    assert PASSPHRASE not in text
    assert text.count("BEGIN PUBLIC KEY") == len(KeyPurpose)


def test_default_cost_of_the_passphrase(path: Path) -> None:
    FileKeyStore(path, PASSPHRASE).ensure()

    assert json.loads(path.read_text())["kdf"]["n"] == 2**15


def test_ensure_twice_does_not_write_again(store: FileKeyStore, path: Path) -> None:
    before = path.stat()

    store_at(path).ensure(development=True)

    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_wrong_passphrase_is_a_clear_error(store: FileKeyStore, path: Path) -> None:
    wrong = store_at(path, passphrase="wrong")

    with pytest.raises(KeyStoreLocked, match="passphrase does not open") as caught:
        wrong.load()
    assert caught.value.error_code == "key_store_passphrase_wrong"
    with pytest.raises(KeyStoreLocked):
        wrong.ensure()


def test_empty_passphrase_is_refused(path: Path) -> None:
    with pytest.raises(InvalidInput, match="passphrase"):
        FileKeyStore(path, "")


def test_missing_file_is_named(path: Path) -> None:
    with pytest.raises(KeyStoreMissing, match=r"keys\.json"):
        store_at(path).load()


def test_file_that_others_may_read_is_refused(store: FileKeyStore, path: Path) -> None:
    path.chmod(0o640)

    with pytest.raises(KeyStoreUnsafe, match="0600"):
        store.load()


def test_development_keys_are_refused_where_not_allowed(store: FileKeyStore, path: Path) -> None:
    strict = store_at(path, allow_development=False)

    with pytest.raises(DevelopmentKeyRefused, match="dev-"):
        strict.load()
    with pytest.raises(DevelopmentKeyRefused):
        store_at(path.with_name("other.json"), allow_development=False).ensure(development=True)
    assert not path.with_name("other.json").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"not_after": "2999-01-01T00:00:00+00:00"},
        {"revoked_at": "2020-01-01T00:00:00.000000Z"},
        {"purpose": "evidence"},
        {"development": False},
        {"key_id": "0123456789abcdef"},
        {"private": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
    ],
)
def test_edited_record_is_noticed(store: FileKeyStore, path: Path, change: dict[str, Any]) -> None:
    rewrite(path, change, key=0)

    with pytest.raises(KeyStoreAltered, match="was altered"):
        store.load()


@pytest.mark.parametrize(
    "change",
    [
        {"format": "assent-key-store/2"},
        {"kdf": {"n": 2**21, "salt": "AAAAAAAAAAAAAAAAAAAAAA=="}},
        {"kdf": {"n": "many", "salt": "AAAAAAAAAAAAAAAAAAAAAA=="}},
        {"kdf": None},
        {"check": "not base64"},
        {"keys": [{}]},
    ],
)
def test_broken_document_is_noticed(store: FileKeyStore, path: Path, change: dict[str, Any]) -> None:
    rewrite(path, change)

    with pytest.raises(KeyStoreAltered):
        store.load()


def test_cut_file_is_noticed(store: FileKeyStore, path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(KeyStoreAltered):
        store.load()


def test_foreign_algorithm_is_noticed(store: FileKeyStore) -> None:
    info = store.load()[0].info
    foreign = KeyPair(info=info, private=X25519PrivateKey.generate())  # type: ignore[arg-type]
    store.update(lambda pairs: (foreign,))

    with pytest.raises(KeyStoreAltered, match="algorithm"):
        store.load()


@pytest.mark.running_clock
def test_another_process_rotates_and_this_one_picks_it_up(store: FileKeyStore, path: Path) -> None:
    ring = KeyRing(store)
    before = ring.sign(purpose=KeyPurpose.PERMIT, message=MESSAGE)

    process = multiprocessing.get_context("spawn").Process(target=rotate_in_another_process, args=(path,))
    process.start()
    process.join()

    assert process.exitcode == 0
    after = ring.sign(purpose=KeyPurpose.PERMIT, message=MESSAGE)
    assert after.key_id != before.key_id
    ring.verify(purpose=KeyPurpose.PERMIT, message=MESSAGE, signature=before)


def test_rotations_of_several_threads_are_all_kept(store: FileKeyStore, path: Path) -> None:
    threads = [
        threading.Thread(target=KeyRing(store_at(path)).rotate, kwargs={"purpose": purpose})
        for purpose in KeyPurpose
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(store.load()) == len(KeyPurpose) * 4


def test_revocation_is_kept(store: FileKeyStore, path: Path) -> None:
    manual = ManualClock(datetime(2026, 5, 1, tzinfo=UTC) + timedelta(microseconds=7))
    key_id = store.load()[0].info.key_id
    with clock.using(manual):
        KeyRing(store).revoke(key_id=key_id)

    assert KeyRing(store_at(path)).public_key(key_id).revoked_at == manual.now()


def test_failed_write_leaves_the_old_file(store: FileKeyStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", refuse)
        with pytest.raises(OSError, match="No space"):
            KeyRing(store).rotate(purpose=KeyPurpose.PERMIT)

    assert path.read_bytes() == before
    assert sorted(each.name for each in path.parent.iterdir()) == ["keys.json", "keys.json.lock"]


def test_a_key_that_is_no_pair_is_refused(store: FileKeyStore) -> None:
    elsewhere = SimpleNamespace(info=store.load()[0].info)

    with pytest.raises(TypeError, match="kept elsewhere"):
        store.update(lambda pairs: (*pairs, elsewhere))  # type: ignore[arg-type]
