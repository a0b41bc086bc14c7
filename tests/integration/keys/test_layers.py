"""Moving from a key file to another store: nothing that was signed loses its key on the way."""

from pathlib import Path

import pytest

from governance.keys.file_store import FileKeyStore
from governance.keys.layers import LayeredKeyStore
from governance.keys.ring import KeyPurpose, KeyRing
from tests.factories.keys import MemoryKeyStore

PERMIT = KeyPurpose.PERMIT
MESSAGE = b"a permit for one job"


@pytest.fixture
def older(tmp_path: Path) -> FileKeyStore:
    store = FileKeyStore(tmp_path / "keys.json", "correct horse battery staple", scrypt_n=16)
    store.ensure()
    return store


@pytest.fixture
def newer() -> MemoryKeyStore:
    return MemoryKeyStore()


@pytest.fixture
def ring(older: FileKeyStore, newer: MemoryKeyStore) -> KeyRing:
    return KeyRing(LayeredKeyStore(older=older, newer=newer))


def test_keys_of_the_older_store_sign_until_they_are_rotated(
    ring: KeyRing, older: FileKeyStore, newer: MemoryKeyStore
) -> None:
    ring.ensure()
    assert newer.load() == ()
    before = ring.sign(purpose=PERMIT, message=MESSAGE)
    fresh = ring.rotate(purpose=PERMIT)
    assert [key.info for key in newer.load()] == [fresh]
    assert ring.sign(purpose=PERMIT, message=MESSAGE).key_id == fresh.key_id != before.key_id
    ring.verify(purpose=PERMIT, message=MESSAGE, signature=before)
    ended = next(key.info for key in older.load() if key.info.key_id == before.key_id)
    assert ended.not_after is not None


def test_keys_of_either_store_can_be_revoked(ring: KeyRing, older: FileKeyStore, newer: MemoryKeyStore) -> None:
    old = ring.current(purpose=PERMIT).key_id
    new = ring.rotate(purpose=PERMIT).key_id
    ring.revoke(key_id=old)
    ring.revoke(key_id=new)
    assert [key.info.key_id for key in older.load() if key.info.revoked_at] == [old]
    assert [key.info.key_id for key in newer.load() if key.info.revoked_at] == [new]
