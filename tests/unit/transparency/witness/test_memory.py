import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from governance.transparency.merkle import EMPTY_ROOT
from governance.transparency.witness import memory as memory_module
from governance.transparency.witness.memory import (
    KEY_FILE,
    MEMORY_FILE,
    MemoryInUse,
    MemoryUnusable,
    Seen,
    open_memory,
)
from tests.factories.logs import WITNESS_NAME

SEEN = Seen(size=3, root=bytes(range(32)), note="log.example/ledger\n3\n…\n")


def public(directory: Path) -> bytes:
    with open_memory(directory, name=WITNESS_NAME) as memory:
        return memory.key.public_key().public_bytes_raw()


def test_a_new_witness_has_a_key_of_its_own_and_has_seen_nothing(tmp_path: Path) -> None:
    with open_memory(tmp_path / "deep" / "state", name=WITNESS_NAME) as memory:
        assert memory.seen("log.example/ledger") == Seen(0, EMPTY_ROOT, "")
    assert public(tmp_path / "deep" / "state") != public(tmp_path / "other")


def test_the_key_is_for_its_owner_only(tmp_path: Path) -> None:
    public(tmp_path / "state")
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "state").iterdir()} == {0o600}


def test_key_and_memory_outlive_the_process(tmp_path: Path) -> None:
    before = public(tmp_path)
    with open_memory(tmp_path, name=WITNESS_NAME) as memory:
        memory.remember("log.example/a", SEEN)
        memory.remember("log.example/b", Seen(1, bytes(32)))
    with open_memory(tmp_path, name=WITNESS_NAME) as memory:
        assert memory.seen("log.example/a") == SEEN
        assert memory.seen("log.example/b") == Seen(1, bytes(32))
    assert public(tmp_path) == before


def test_what_cannot_be_written_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes, *, mode: int) -> None:
        raise OSError("no space left on device")

    with open_memory(tmp_path, name=WITNESS_NAME) as memory:
        monkeypatch.setattr(memory_module, "replace_file", full)
        with pytest.raises(OSError, match="no space"):
            memory.remember("log.example/a", SEEN)
        assert memory.seen("log.example/a") == Seen()


def test_a_witness_runs_once(tmp_path: Path) -> None:
    with (
        open_memory(tmp_path, name=WITNESS_NAME),
        pytest.raises(MemoryInUse, match="a witness runs once"),
        open_memory(tmp_path, name=WITNESS_NAME),
    ):
        pass
    assert public(tmp_path)


def test_a_witness_that_has_ended_remembers_nothing_more(tmp_path: Path) -> None:
    """A request that is still being answered could otherwise roll back what the next process remembers."""
    with open_memory(tmp_path, name=WITNESS_NAME) as ended:
        ended.remember("log.example/a", SEEN)
    with open_memory(tmp_path, name=WITNESS_NAME) as memory:
        memory.remember("log.example/a", Seen(9, bytes(32)))
        with pytest.raises(OSError, match="The witness has ended"):
            ended.remember("log.example/a", Seen(4, bytes(32)))
        assert memory.seen("log.example/a").size == 9
    with open_memory(tmp_path, name=WITNESS_NAME) as memory:
        assert memory.seen("log.example/a").size == 9


def test_the_name_of_a_witness_cannot_change(tmp_path: Path) -> None:
    public(tmp_path)
    with (
        pytest.raises(MemoryUnusable, match=r"belongs to the witness 'witness\.example/w1'"),
        open_memory(tmp_path, name="witness.example/w2"),
    ):
        pass


def test_a_start_that_was_cut_off_before_the_key_was_made_goes_on(tmp_path: Path) -> None:
    public(tmp_path)
    (tmp_path / KEY_FILE).unlink()
    assert public(tmp_path)


def test_a_key_without_memory_does_not_sign_again(tmp_path: Path) -> None:
    public(tmp_path)
    (tmp_path / MEMORY_FILE).unlink()
    with pytest.raises(MemoryUnusable, match="Retire this witness"):
        public(tmp_path)


def test_a_memory_without_key_gets_no_new_one(tmp_path: Path) -> None:
    with open_memory(tmp_path, name=WITNESS_NAME) as memory:
        memory.remember("log.example/a", SEEN)
    (tmp_path / KEY_FILE).unlink()
    with pytest.raises(MemoryUnusable, match="holds no key"):
        public(tmp_path)


@pytest.mark.parametrize(
    "spoilt",
    [
        b"",
        b"{",
        b"[]",
        b'{"format":"assent-witness/1","name":"witness.example/w1"}',
        b'{"format":"assent-witness/1","name":"witness.example/w1","logs":[]}',
        b'{"format":"assent-witness/1","name":"witness.example/w1","logs":{"a":{"size":1}}}',
        b'{"format":"assent-witness/1","name":"witness.example/w1","logs":{"a":{"size":1,"root":"00","note":""}}}',
        b'{"format":"assent-witness/1","name":"witness.example/w1","logs":{"a":{"size":1,"root":"zz","note":""}}}',
        b'{"format":"assent-witness/1","name":"witness.example/w1","logs":{"a":[]}}',
        b'{"format":"assent-witness/2","name":"witness.example/w1","logs":{}}',
    ],
)
def test_a_damaged_memory_is_not_used(tmp_path: Path, spoilt: bytes) -> None:
    public(tmp_path)
    (tmp_path / MEMORY_FILE).write_bytes(spoilt)
    with pytest.raises(MemoryUnusable):
        public(tmp_path)


def test_a_negative_size_is_no_memory(tmp_path: Path) -> None:
    public(tmp_path)
    document = json.loads((tmp_path / MEMORY_FILE).read_bytes())
    document["logs"]["a"] = {"size": -1, "root": bytes(32).hex(), "note": ""}
    (tmp_path / MEMORY_FILE).write_text(json.dumps(document))
    with pytest.raises(MemoryUnusable, match="a checkpoint in it has no valid size or root"):
        public(tmp_path)


@pytest.mark.parametrize("spoilt", [b"", b"-----BEGIN PRIVATE KEY-----\n", b"\x00\xff"])
def test_a_damaged_key_is_not_used(tmp_path: Path, spoilt: bytes) -> None:
    public(tmp_path)
    (tmp_path / KEY_FILE).write_bytes(spoilt)
    with pytest.raises(MemoryUnusable, match="holds no key"):
        public(tmp_path)


def test_another_kind_of_key_is_not_used(tmp_path: Path) -> None:
    public(tmp_path)
    key = generate_private_key(SECP256R1())
    (tmp_path / KEY_FILE).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(MemoryUnusable, match="another kind of key than Ed25519"):
        public(tmp_path)
