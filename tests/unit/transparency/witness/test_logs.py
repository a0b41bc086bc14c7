from pathlib import Path

import pytest

from governance.transparency.notes import NoteInvalid
from governance.transparency.witness.logs import WatchedLogs
from tests.factories.logs import ORIGIN, NoteSigner

FIRST, SECOND, OTHER = NoteSigner(), NoteSigner(), NoteSigner("log.example/other")


def test_keys_are_found_by_the_origin_that_they_sign_for() -> None:
    logs = WatchedLogs([FIRST.log_key.vkey, OTHER.log_key.vkey, SECOND.log_key.vkey])
    assert logs.keys_of(ORIGIN) == [FIRST.log_key, SECOND.log_key]
    assert logs.keys_of("log.example/other") == [OTHER.log_key]
    assert logs.keys_of("log.example/unknown") == []


def test_the_file_may_come_and_change_while_the_witness_runs(tmp_path: Path) -> None:
    path = tmp_path / "logs"
    logs = WatchedLogs([FIRST.log_key.vkey], path=path)
    assert logs.keys_of(ORIGIN) == [FIRST.log_key]
    path.write_text(f"# our logs\n\n  {SECOND.log_key.vkey}  \n")
    assert logs.keys_of(ORIGIN) == [FIRST.log_key, SECOND.log_key]
    path.write_text("")
    assert logs.keys_of(ORIGIN) == [FIRST.log_key]


@pytest.mark.parametrize("vkey", ["", "no key", NoteSigner().witness_key.vkey])
def test_only_keys_of_logs_are_taken(vkey: str) -> None:
    with pytest.raises(NoteInvalid):
        WatchedLogs([vkey])


@pytest.mark.parametrize("data", [b"no key\n", b"\xff\xfe\n"])
def test_a_file_with_anything_else_is_not_used(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "logs"
    path.write_bytes(data)
    with pytest.raises(NoteInvalid):
        WatchedLogs([], path=path).keys_of(ORIGIN)
