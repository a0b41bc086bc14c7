"""Which key store the settings choose."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from governance.config.wiring import bind_all
from governance.keys.file_store import FileKeyStore
from governance.keys.ring import KeyPurpose, KeyRing, key_ring
from tests.kms import CREDENTIALS, REGION, kms_server


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch, kms_server() as address:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        yield address


@pytest.fixture
def chosen(settings: Any, endpoint: str, tmp_path: Path) -> Iterator[Any]:
    settings.ASSENT_KEY_PROVIDER = "aws-kms"
    settings.ASSENT_KMS_REGION = REGION
    settings.ASSENT_KMS_ENDPOINT = endpoint
    settings.ASSENT_KMS_REFRESH_SECONDS = 0
    settings.ASSENT_KEY_STORE = tmp_path / "keys.json"
    settings.ASSENT_KEY_PASSPHRASE = "correct horse battery staple"
    settings.ASSENT_ALLOW_DEVELOPMENT_KEYS = False
    bind_all()
    yield settings
    key_ring.reset()


def test_kms_keeps_the_keys_without_a_file(chosen: Any) -> None:
    chosen.ASSENT_KMS_PREFIX = "assent-alone"
    assert key_ring.get().public_keys() == []
    assert not chosen.ASSENT_KEY_STORE.exists()


def test_a_key_file_that_is_still_there_counts_until_its_purposes_are_rotated(chosen: Any) -> None:
    chosen.ASSENT_KMS_PREFIX = "assent-moving"
    FileKeyStore(chosen.ASSENT_KEY_STORE, chosen.ASSENT_KEY_PASSPHRASE, scrypt_n=16).ensure()
    ring = key_ring.get()
    before = ring.sign(purpose=KeyPurpose.RECEIPT, message=b"before")
    fresh = ring.rotate(purpose=KeyPurpose.RECEIPT)
    after = ring.sign(purpose=KeyPurpose.RECEIPT, message=b"after")
    ring.verify(purpose=KeyPurpose.RECEIPT, message=b"before", signature=before)
    assert after.key_id == fresh.key_id
    assert after.algorithm == "es256"


def test_the_file_is_the_default(settings: Any, tmp_path: Path) -> None:
    settings.ASSENT_KEY_STORE = tmp_path / "keys.json"
    bind_all()
    ring = key_ring.get()
    key_ring.reset()
    assert isinstance(ring, KeyRing)
    assert all(info.development for info in ring.public_keys())
