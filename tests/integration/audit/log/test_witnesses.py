"""Asking witnesses for cosignatures: real ones, slow ones, and ones that lie."""

import logging
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import override_settings
from requests import PreparedRequest
from requests.adapters import HTTPAdapter

from governance.audit.log.witnesses import (
    MAX_AHEAD_SECONDS,
    MAX_ANSWER_BYTES,
    SIZE_TYPE,
    CosignatureReceived,
    Witness,
    WitnessInvalid,
    configured_witnesses,
    cosign_all,
    witnesses_of,
)
from governance.kernel import clock
from governance.transparency.notes import NoteInvalid, open_note
from tests.factories.logs import ORIGIN, WITNESS_NAME, NoteSigner, ToyLog, submission
from tests.factories.witnesses import running_witness, scripted_witness
from tests.waiting import PATIENCE_SECONDS

TEXT_TYPE = "text/plain; charset=utf-8"
SIZE = 9
NOON = clock.ManualClock(datetime(2026, 3, 1, 12, tzinfo=UTC))
NOON_SECONDS = int(NOON.now().timestamp())


@pytest.fixture
def log() -> ToyLog:
    return ToyLog()


def ask(
    log: ToyLog,
    *witnesses: Witness,
    size: int = SIZE,
    old: int = 0,
    timeout: float = PATIENCE_SECONDS,
    enough: int | None = None,
    proof_of: Callable[[int], Sequence[bytes]] | None = None,
) -> list[CosignatureReceived]:
    with clock.using(NOON):
        return cosign_all(
            checkpoint_note=log.note(size),
            old_size_of=lambda _: old,
            proof_of=proof_of or (lambda first: log.consistency(first, size)),
            witnesses=witnesses,
            timeout=timeout,
            enough=enough,
        )


def test_several_witnesses_cosign_and_the_note_opens_with_all_of_them(tmp_path: Path, log: ToyLog) -> None:
    names = ["witness.example/w1", "witness.example/w2", "witness.example/w3"]
    with ExitStack() as stack:
        running = [
            stack.enter_context(running_witness(tmp_path / str(index), log.signer.log_key.vkey, name=name))
            for index, name in enumerate(names)
        ]
        received = ask(log, *(each.witness for each in running))
    assert [each.witness for each in received] == names
    assert {each.witnessed_at for each in received} == {NOON.now()}
    note = log.note(SIZE) + "".join(f"{each.line}\n" for each in received)
    opened = open_note(note=note, keys=[log.signer.log_key, *(each.judge.key for each in running)])
    assert [key.name for key in opened.verified] == [ORIGIN, *names]


@pytest.mark.parametrize("believed", [0, 3, 5, 8, SIZE, 400])
@pytest.mark.parametrize("known", [0, 1, 5, SIZE])
def test_whatever_was_believed_the_witness_says_what_it_knows(
    tmp_path: Path, log: ToyLog, believed: int, known: int
) -> None:
    with running_witness(tmp_path / "w", log.signer.log_key.vkey) as running:
        running.judge.add_checkpoint(log.submission(0, known))
        received = ask(log, running.witness, old=believed)
        assert [each.witness for each in received] == [WITNESS_NAME]
        assert running.memory.seen(ORIGIN).size == SIZE


def test_proofs_are_made_where_the_caller_is(tmp_path: Path, log: ToyLog) -> None:
    threads = []

    def proof_of(first: int) -> list[bytes]:
        threads.append(threading.current_thread())
        return log.consistency(first, SIZE)

    with running_witness(tmp_path / "w", log.signer.log_key.vkey) as running:
        running.judge.add_checkpoint(log.submission(0, 5))
        assert ask(log, running.witness, old=3, proof_of=proof_of)
    assert threads == [threading.current_thread()] * 2


def test_the_connection_is_kept(log: ToyLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_witness(tmp_path / "w", log.signer.log_key.vkey) as running:
        assert ask(log, running.witness, size=3)
        monkeypatch.setattr("socket.create_connection", _no_connection)
        monkeypatch.setattr("urllib3.util.connection.create_connection", _no_connection)
        assert ask(log, running.witness, size=4, old=3)


def _no_connection(*args: object, **options: object) -> None:
    raise AssertionError("a new connection was opened")


def test_a_witness_ahead_of_us_is_alarming(tmp_path: Path, log: ToyLog, caplog: pytest.LogCaptureFixture) -> None:
    with running_witness(tmp_path / "w", log.signer.log_key.vkey) as running:
        running.judge.add_checkpoint(log.submission(0, SIZE + 1))
        assert ask(log, running.witness) == []
    [(level, message)] = said(caplog)
    assert level == logging.ERROR
    assert message.startswith(
        f"Witness {WITNESS_NAME} did not cosign the checkpoint of {SIZE} entries: it has cosigned"
    )
    assert f"cosigned {SIZE + 1} entries and does not find this checkpoint after them." in message


@pytest.mark.parametrize("known", [5, SIZE])
def test_a_fork_gets_no_cosignature(tmp_path: Path, log: ToyLog, known: int, caplog: pytest.LogCaptureFixture) -> None:
    with running_witness(tmp_path / "w", log.signer.log_key.vkey) as running:
        running.judge.add_checkpoint(ToyLog(log.signer, "other").submission(0, known))
        assert ask(log, running.witness) == []
        assert running.memory.seen(ORIGIN).size == known
    assert f"Witness {WITNESS_NAME} did not cosign" in caplog.text
    assert [level for level, _ in said(caplog)] == [logging.ERROR]


def test_a_witness_that_is_down_costs_only_itself(
    tmp_path: Path, log: ToyLog, caplog: pytest.LogCaptureFixture
) -> None:
    down = Witness("witness.example/down", "http://127.0.0.1:1", NoteSigner("witness.example/down").witness_key)
    with running_witness(tmp_path / "w", log.signer.log_key.vkey) as running:
        assert [each.witness for each in ask(log, down, running.witness)] == [WITNESS_NAME]
    assert [level for level, _ in said(caplog)] == [logging.WARNING]
    assert "http://127.0.0.1:1/add-checkpoint cannot be asked" in caplog.text


def test_a_slow_witness_is_not_waited_for(tmp_path: Path, log: ToyLog, caplog: pytest.LogCaptureFixture) -> None:
    going_on = threading.Event()
    with (
        running_witness(tmp_path / "w", log.signer.log_key.vkey) as running,
        scripted_witness((200, TEXT_TYPE, b""), before=lambda: going_on.wait(PATIENCE_SECONDS)) as slow,
    ):
        slow.signer = NoteSigner("witness.example/slow")
        received = ask(log, slow.witness, running.witness, timeout=3)
        still_asked = not slow.bodies
        going_on.set()
    assert [each.witness for each in received] == [WITNESS_NAME]
    assert still_asked
    assert "Witness witness.example/slow did not cosign" in caplog.text


@pytest.mark.parametrize("known", [0, 5])
@pytest.mark.parametrize("enough", [0, 1])
def test_once_enough_have_cosigned_a_hanging_one_is_not_waited_for(
    tmp_path: Path, log: ToyLog, enough: int, known: int
) -> None:
    going_on = threading.Event()
    with (
        running_witness(tmp_path / "w", log.signer.log_key.vkey) as running,
        scripted_witness((200, TEXT_TYPE, b""), before=lambda: going_on.wait(PATIENCE_SECONDS)) as hanging,
    ):
        running.judge.add_checkpoint(log.submission(0, known))
        hanging.signer = NoteSigner("witness.example/hanging")
        received = ask(log, hanging.witness, running.witness, enough=enough)
        still_asked = not hanging.bodies
        going_on.set()
    assert len(received) <= 1
    assert still_asked


def test_those_that_are_soon_after_enough_are_taken(
    tmp_path: Path, log: ToyLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("governance.audit.log.witnesses.GRACE_SECONDS", PATIENCE_SECONDS)
    with (
        running_witness(tmp_path / "w", log.signer.log_key.vkey) as running,
        scripted_witness((200, TEXT_TYPE, b""), before=lambda: time.sleep(0.1)) as later,
    ):
        later.signer = NoteSigner("witness.example/later")
        later.answers = [(200, TEXT_TYPE, lines_of(log, later.signer))]
        assert len(ask(log, later.witness, running.witness, enough=1)) == 2


def test_fewer_than_enough_wait_until_the_time_is_up(tmp_path: Path, log: ToyLog) -> None:
    with (
        running_witness(tmp_path / "w", log.signer.log_key.vkey) as running,
        scripted_witness((200, TEXT_TYPE, b""), before=lambda: time.sleep(1)) as slow,
    ):
        slow.signer = NoteSigner("witness.example/slow")
        slow.answers = [(200, TEXT_TYPE, lines_of(log, slow.signer))]
        assert len(ask(log, slow.witness, running.witness, enough=2)) == 2


def test_many_slow_witnesses_take_no_longer_than_one(log: ToyLog) -> None:
    with ExitStack() as stack:
        all_are_asked = threading.Barrier(5)
        slow = [
            stack.enter_context(
                scripted_witness((404, TEXT_TYPE, b""), before=lambda: all_are_asked.wait(PATIENCE_SECONDS))
            )
            for _ in range(5)
        ]
        assert ask(log, *(each.witness for each in slow)) == []
        assert [len(each.bodies) for each in slow] == [1] * 5


@pytest.mark.parametrize("status", [301, 307])
def test_nobody_is_followed_elsewhere(log: ToyLog, status: int, caplog: pytest.LogCaptureFixture) -> None:
    with scripted_witness((status, TEXT_TYPE, b"")) as scripted:
        assert ask(log, scripted.witness) == []
        assert len(scripted.bodies) == 1
    assert f"it answered {status}" in caplog.text


@pytest.mark.parametrize("status", [400, 403, 404, 422, 500, 503])
def test_a_refusal_is_reported(log: ToyLog, status: int, caplog: pytest.LogCaptureFixture) -> None:
    with scripted_witness((status, TEXT_TYPE, b"because\xff\n")) as scripted:
        assert ask(log, scripted.witness) == []
        assert len(scripted.bodies) == 1
    assert f"it answered {status}: because" in caplog.text


def lines_of(log: ToyLog, signer: NoteSigner, *, size: int = SIZE, at: int = NOON_SECONDS) -> bytes:
    return signer.cosign(log.text(size), at=at).encode()


def test_lines_of_unknown_keys_are_ignored(log: ToyLog) -> None:
    stranger, same_name = NoteSigner("witness.example/other"), NoteSigner(WITNESS_NAME)
    with scripted_witness((200, TEXT_TYPE, b"")) as scripted:
        lines = [lines_of(log, signer) for signer in (stranger, same_name, scripted.signer)]
        scripted.answers = [(200, TEXT_TYPE, b"".join(lines))]
        received = ask(log, scripted.witness)
    assert [each.line for each in received] == [lines[2].decode().removesuffix("\n")]


def test_what_is_no_cosignature_of_this_checkpoint_is_refused(log: ToyLog, caplog: pytest.LogCaptureFixture) -> None:
    with scripted_witness((200, TEXT_TYPE, b"")) as scripted:
        wrong = [
            b"",
            b"\xff\n",
            b"no line\n",
            lines_of(log, NoteSigner(WITNESS_NAME)),
            lines_of(log, scripted.signer, size=SIZE - 1),
            lines_of(ToyLog(log.signer, "other"), scripted.signer),
            lines_of(log, scripted.signer, at=NOON_SECONDS + MAX_AHEAD_SECONDS + 1),
            scripted.signer.sign(log.text(SIZE)).rpartition("\n\n")[2].encode(),
            b"x" * (MAX_ANSWER_BYTES + 1),
        ]
        scripted.answers = [(200, TEXT_TYPE, answer) for answer in wrong]
        assert [ask(log, scripted.witness) for _ in wrong] == [[]] * len(wrong)
    assert [level for level, _ in said(caplog)] == [logging.ERROR] * (len(wrong) - 1) + [logging.WARNING]


def test_a_clock_a_little_ahead_is_taken(log: ToyLog) -> None:
    with scripted_witness((200, TEXT_TYPE, b"")) as scripted:
        scripted.answers = [(200, TEXT_TYPE, lines_of(log, scripted.signer, at=NOON_SECONDS + MAX_AHEAD_SECONDS))]
        assert len(ask(log, scripted.witness)) == 1


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (TEXT_TYPE, b"5\n"),
        (SIZE_TYPE, b"5"),
        (SIZE_TYPE, b""),
        (SIZE_TYPE, b"05\n"),
        (SIZE_TYPE, b"-5\n"),
        (SIZE_TYPE, b"five\n"),
        (SIZE_TYPE, b"5\n\n"),
    ],
)
def test_a_conflict_without_a_size_is_not_asked_again(log: ToyLog, content_type: str, body: bytes) -> None:
    with scripted_witness((409, content_type, body)) as scripted:
        assert ask(log, scripted.witness) == []
        assert len(scripted.bodies) == 1


def test_it_is_asked_once_more_and_not_for_ever(log: ToyLog) -> None:
    conflicts = [(409, f"{SIZE_TYPE}; charset=utf-8", f"{size}\n".encode()) for size in (2, 3, 4)]
    with scripted_witness(*conflicts) as scripted:
        assert ask(log, scripted.witness, old=1) == []
        assert scripted.bodies == [log.submission(1, SIZE), log.submission(2, SIZE)]


def test_the_body_is_as_the_protocol_has_it(log: ToyLog) -> None:
    with scripted_witness((404, TEXT_TYPE, b"")) as scripted:
        ask(log, scripted.witness, old=5)
    hashes = "".join(b64encode(each).decode() + "\n" for each in log.consistency(5, SIZE))
    assert scripted.bodies == [f"old 5\n{hashes}\n{log.note(SIZE)}".encode()]


def test_signatures_of_others_below_the_note_go_along(log: ToyLog) -> None:
    other = NoteSigner("witness.example/other").cosign(log.text(SIZE), at=NOON_SECONDS)
    with scripted_witness((404, TEXT_TYPE, b"")) as scripted:
        cosign_all(
            checkpoint_note=log.note(SIZE) + other,
            old_size_of=lambda _: 0,
            proof_of=lambda _: [],
            witnesses=[scripted.witness],
            timeout=5,
        )
    assert scripted.bodies == [submission(old=0, proof=[], note=log.note(SIZE) + other)]


def test_without_witnesses_nobody_is_asked(log: ToyLog) -> None:
    assert ask(log) == []


def test_what_is_no_checkpoint_is_not_sent(log: ToyLog) -> None:
    with pytest.raises(NoteInvalid):
        cosign_all(checkpoint_note="no note", old_size_of=lambda _: 0, proof_of=lambda _: [], witnesses=[], timeout=1)


def test_the_login_of_the_environment_is_not_sent(log: ToyLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[PreparedRequest] = []

    def send(self: HTTPAdapter, request: PreparedRequest, **options: object) -> None:
        sent.append(request)
        raise OSError("nothing is sent")

    (tmp_path / "netrc").write_text("machine witness.example login us password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setattr(HTTPAdapter, "send", send)
    assert ask(log, Witness(WITNESS_NAME, "https://witness.example", NoteSigner(WITNESS_NAME).witness_key)) == []
    assert "Authorization" not in sent[0].headers


def described(signer: NoteSigner, **changes: object) -> dict[str, object]:
    return {
        "name": signer.name,
        "url": "https://witness.example/prefix",
        "vkey": signer.witness_key.vkey,
        **changes,
    }


FIRST = NoteSigner(WITNESS_NAME)


def test_witnesses_are_read_from_the_settings() -> None:
    with override_settings(ASSENT_WITNESSES=[described(FIRST, url="https://witness.example/prefix/")]):
        assert configured_witnesses() == (Witness(WITNESS_NAME, "https://witness.example/prefix", FIRST.witness_key),)
    with override_settings(ASSENT_WITNESSES=[]):
        assert configured_witnesses() == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": 1}, "exactly the texts"),
        ({"more": "x"}, "exactly the texts"),
        ({"vkey": "x"}, "This is not a verifier key"),
        ({"vkey": FIRST.log_key.vkey}, "is a log's"),
        ({"name": "witness.example/w2"}, "use the name in the key"),
        ({"url": "ftp://witness.example"}, "begins with http"),
        ({"url": "https://"}, "begins with http"),
        ({"url": "https://["}, "begins with http"),
        ({"url": "https://witness.example/?a=b"}, "begins with http"),
        ({"url": "https://witness.example/#a"}, "begins with http"),
    ],
)
def test_a_witness_that_cannot_be_used_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(WitnessInvalid, match=message):
        witnesses_of([described(FIRST, **changes)])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (described(NoteSigner(WITNESS_NAME), url="https://other.example"), "the same name"),
        (described(NoteSigner("witness.example/w2")), "the same url"),
        (described(NoteSigner("witness.example/w2", FIRST.private), url="https://other.example"), "the same key"),
    ],
)
def test_a_witness_counts_once(other: dict[str, object], message: str) -> None:
    with pytest.raises(WitnessInvalid, match=message):
        witnesses_of([described(FIRST), other])


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    return [
        (each.levelno, each.getMessage()) for each in caplog.records if each.name == "governance.audit.log.witnesses"
    ]
