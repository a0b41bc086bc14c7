import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from governance.kernel.keys import REQUIRED_ALGORITHM, KeyPurpose, KeyRing, KeyUnavailable, key_ring
from tests.factories.keys import MemoryKeyStore


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("keys", *arguments, stdout=out)
    return out.getvalue()


def test_list_shows_every_key_and_its_state(ring: KeyRing) -> None:
    lines = run("list").splitlines()

    assert len(lines) == len(KeyPurpose)
    assert all(line.startswith("dev-") for line in lines)
    assert all(" valid " in line and line.endswith("no end") for line in lines)
    assert sum(" ed25519 " in line for line in lines) == len(KeyPurpose) - len(REQUIRED_ALGORITHM)


def test_list_as_json_holds_public_keys_and_no_private_ones(ring: KeyRing) -> None:
    keys = json.loads(run("list", "--json"))

    assert [key["key_id"] for key in keys] == [info.key_id for info in ring.public_keys()]
    assert {key["state"] for key in keys} == {"valid"}
    assert all("BEGIN PUBLIC KEY" in key["public_pem"] for key in keys)
    assert "PRIVATE" not in json.dumps(keys)


def test_init_makes_missing_keys(settings: Any) -> None:
    settings.ASSENT_ALLOW_DEVELOPMENT_KEYS = False
    with key_ring.override(KeyRing(MemoryKeyStore())) as empty:
        out = run("init", "--algorithm", "es256")
        infos = empty.public_keys()

    assert len(infos) == len(KeyPurpose) == len(out.splitlines())
    assert {(info.algorithm, info.development) for info in infos} == {("es256", False)}


def test_rotate_and_list(ring: KeyRing) -> None:
    out = run("rotate", "permit")
    rotated = [info for info in ring.public_keys() if info.purpose is KeyPurpose.PERMIT]

    assert out == f"Key {rotated[-1].key_id} now signs for 'permit'.\n"
    assert [info.algorithm for info in rotated] == ["ed25519", "ed25519"]
    run("rotate", "permit", "--algorithm", "es256")
    assert ring.sign(purpose=KeyPurpose.PERMIT, message=b"").algorithm == "es256"


def test_revoke_warns_when_no_key_is_left(ring: KeyRing) -> None:
    key_id = ring.sign(purpose=KeyPurpose.PERMIT, message=b"").key_id

    out = run("revoke", key_id, "--since", "2026-01-01T00:00:00Z")

    assert "signed from 2026-01-01 00:00:00+00:00 on" in out
    assert "run 'manage.py keys rotate permit'" in out
    assert f"{key_id} " in run("list")
    assert "revoked" in run("list")
    with pytest.raises(KeyUnavailable):
        ring.sign(purpose=KeyPurpose.PERMIT, message=b"")


def test_revoke_of_an_old_key_leaves_the_new_one(ring: KeyRing) -> None:
    old = ring.sign(purpose=KeyPurpose.PERMIT, message=b"").key_id
    run("rotate", "permit")

    assert "No key is left" not in run("revoke", old)
    ring.sign(purpose=KeyPurpose.PERMIT, message=b"")


def test_key_that_ended_is_shown_as_ended(ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("governance.kernel.keys.ROTATION_OVERLAP", ring.public_keys()[0].not_before.resolution * 0)
    run("rotate", "permit")

    assert " ended " in run("list")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["revoke", "nobody"], "There is no key nobody"),
        (["revoke", "x", "--since", "soon"], "not an ISO 8601 time"),
        (["revoke", "x", "--since", "2026-01-01"], "no time zone"),
        (["rotate", "nothing"], "invalid choice"),
        ([], "required"),
    ],
)
def test_mistakes_are_told(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*arguments)
