"""`manage.py log_vkey`."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from governance.keys import ring as keys
from governance.keys.ring import KeyPurpose, KeyRing, key_ring
from governance.transparency.notes import open_note, parse_vkey, sign_note
from tests.factories.keys import MemoryKeyStore

TEXT = "log.example/ledger\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


def printed() -> list[str]:
    out = StringIO()
    call_command("log_vkey", stdout=out)
    return out.getvalue().splitlines()


@override_settings(ASSENT_LOG_ORIGIN="log.example/ledger")
def test_the_key_verifies_what_the_key_ring_signs(ring: KeyRing) -> None:
    [vkey] = printed()
    key = parse_vkey(vkey)
    note = sign_note(
        text=TEXT,
        name="log.example/ledger",
        public=key.public,
        sign=lambda message: ring.sign(purpose=KeyPurpose.CHECKPOINT, message=message).value,
    )
    assert open_note(note=note, keys=[key]).verified == (key,)


def test_after_a_rotation_there_are_two_until_the_one_before_ends(ring: KeyRing) -> None:
    [before] = printed()
    ring.rotate(purpose=KeyPurpose.CHECKPOINT)
    assert len(printed()) == 2
    assert printed()[0] == before


def test_a_revoked_key_is_not_among_them(ring: KeyRing) -> None:
    ring.rotate(purpose=KeyPurpose.CHECKPOINT)
    vkeys = printed()
    ring.revoke(key_id=ring.current(purpose=KeyPurpose.CHECKPOINT).key_id)
    assert printed() == vkeys[:1]


def test_without_a_key_it_says_what_to_do() -> None:
    with (
        key_ring.override(KeyRing(MemoryKeyStore())),
        pytest.raises(CommandError, match="No key signs checkpoints: run"),
    ):
        printed()


def test_a_key_store_that_cannot_be_read_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: MemoryKeyStore) -> None:
        raise keys.KeyUnavailable("the store is away")

    monkeypatch.setattr(MemoryKeyStore, "load", fail)
    with pytest.raises(CommandError, match=r"the store is away \(key_unavailable\)"):
        printed()
