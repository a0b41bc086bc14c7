import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from governance.audit.log.key_history import key_ranges
from governance.audit.log.sequencer import sequence_pending
from governance.kernel.canonical import sha256_hex
from governance.keys.ring import REQUIRED_ALGORITHM, KeyPurpose, KeyRing, KeyUnavailable, key_ring
from tests.factories.keys import MemoryKeyStore

pytestmark = pytest.mark.django_db


def run(*arguments: str, err: StringIO | None = None) -> str:
    out = StringIO()
    call_command("keys", *arguments, stdout=out, stderr=err or StringIO())
    return out.getvalue()


def database_down(*arguments: object) -> None:
    raise OperationalError("connection refused")


def test_list_shows_every_key_and_its_state(ring: KeyRing) -> None:
    lines = run("list").splitlines()

    assert len(lines) == len(KeyPurpose)
    assert all(line.startswith("dev-") for line in lines)
    assert all(" valid " in line and line.endswith("no end") for line in lines)
    assert [line.split()[1] for line in lines if " es256 " in line] == ["bundle"]


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
    assert {info.algorithm for info in infos if info.purpose not in REQUIRED_ALGORITHM} == {"es256"}
    assert {info.algorithm for info in infos if info.purpose is KeyPurpose.CHECKPOINT} == {"ed25519"}
    assert not any(info.development for info in infos)


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
    monkeypatch.setattr("governance.keys.ring.ROTATION_OVERLAP", ring.public_keys()[0].not_before.resolution * 0)
    run("rotate", "permit")

    assert " ended " in run("list")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["revoke", "nobody"], "There is no key nobody"),
        (["revoke", "x", "--since", "soon"], "not an ISO 8601 time"),
        (["revoke", "x", "--since", "2026-01-01"], "no time zone"),
        (["rotate", "nothing"], r"invalid choice: 'nothing' \(choose from '?permit"),
        ([], "required"),
    ],
)
def test_mistakes_are_reported(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*arguments)


def test_rotation_and_revocation_are_announced_at_once(ring: KeyRing) -> None:
    old = ring.current(purpose=KeyPurpose.RECEIPT).key_id
    run("rotate", "receipt")
    run("revoke", old)

    ends = {each.key_id: each.revoked_from_index for each in key_ranges()}
    assert ends[old] == 0
    assert ends[ring.current(purpose=KeyPurpose.RECEIPT).key_id] is None
    shown = next(line for line in run("list").splitlines() if line.startswith(old))
    assert " no entry " in shown
    assert " from entry 0 on " in run("list")


def test_list_says_at_which_entries_a_revoked_key_counts(ring: KeyRing) -> None:
    run("init")
    sequence_pending()
    run("revoke", ring.current(purpose=KeyPurpose.RECEIPT).key_id)

    assert f" entries 0 to {len(KeyPurpose) - 1} " in run("list")


def test_list_says_which_keys_the_log_does_not_tell_of_yet(ring: KeyRing) -> None:
    assert all(" not in the log yet " in line for line in run("list").splitlines())
    assert {key["from_index"] for key in json.loads(run("list", "--json"))} == {None}
    run("rotate", "permit")
    assert {key["from_index"] for key in json.loads(run("list", "--json"))} == {0}


def test_a_key_can_be_revoked_while_the_database_is_down(ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("governance.operations.management.commands.keys.announce_keys", database_down)
    monkeypatch.setattr("governance.operations.management.commands.keys.key_ranges", database_down)
    err = StringIO()

    run("revoke", ring.current(purpose=KeyPurpose.PERMIT).key_id, err=err)

    assert "has no entry of this yet" in err.getvalue()
    assert " not in the log yet " in run("list")


def test_the_trust_file_is_written_and_its_digest_said(tmp_path: Any) -> None:
    target, err = tmp_path / "trust.json", StringIO()

    assert run("export-trust", "--out", str(target), err=err) == f"Wrote {target}.\n"

    assert f"SHA-256 {sha256_hex(target.read_bytes())}" in err.getvalue()
    assert json.loads(target.read_bytes())["format"] == "assent-trust/1"
    assert target.stat().st_mode & 0o777 == 0o644


def test_the_trust_file_on_standard_output_is_nothing_but_the_file() -> None:
    err = StringIO()

    out = run("export-trust", err=err)

    assert f"SHA-256 {sha256_hex(out.encode())}" in err.getvalue()


def test_a_trust_file_that_cannot_be_written_is_reported(tmp_path: Any) -> None:
    with pytest.raises(CommandError, match="cannot be written: No such file or directory"):
        run("export-trust", "--out", str(tmp_path / "nowhere" / "trust.json"))
