import threading
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.kernel import clock
from governance.transparency.notes import open_note, split_note, verify_cosignature
from governance.transparency.witness import judge as judge_module
from governance.transparency.witness.judge import MAX_PROOF_LINES, SIZE_TYPE, Answer, Judge, Submission
from governance.transparency.witness.logs import WatchedLogs
from governance.transparency.witness.memory import Memory, Seen, open_memory
from tests.effort import examples
from tests.factories.logs import ORIGIN, WITNESS_NAME, NoteSigner, ToyLog, submission
from tests.waiting import PATIENCE_SECONDS

NOON = clock.ManualClock(datetime(2026, 3, 1, 12, tzinfo=UTC))


def known_size(size: int) -> Answer:
    return Answer(HTTPStatus.CONFLICT, f"{size}\n", SIZE_TYPE)


@pytest.mark.parametrize("sizes", [[0], [1], [7], [1, 2, 3], [4, 8], [5, 5, 9], [0, 0, 6], [3, 300]])
def test_a_log_that_only_grows_is_cosigned_at_every_size(judge: Judge, log: ToyLog, sizes: list[int]) -> None:
    for old, size in zip([0, *sizes], sizes, strict=False):
        with clock.using(NOON):
            answer = judge.add_checkpoint(log.submission(old, size))
        assert answer.status == HTTPStatus.OK
        at = verify_cosignature(text=log.text(size), line=answer.body, key=judge.key)
        assert at == int(NOON.now().timestamp())


def test_the_cosignature_fits_below_the_note(judge: Judge, log: ToyLog) -> None:
    answer = judge.add_checkpoint(log.submission(0, 5))
    opened = open_note(note=log.note(5) + answer.body, keys=[log.signer.log_key, judge.key])
    assert [key.name for key in opened.verified] == [ORIGIN, WITNESS_NAME]
    assert answer.body.endswith("\n")


def test_other_signatures_below_the_note_are_ignored(judge: Judge, log: ToyLog) -> None:
    stranger = NoteSigner("witness.example/other").cosign(log.text(5), at=1_700_000_000)
    answer = judge.add_checkpoint(submission(old=0, proof=[], note=log.note(5) + stranger))
    assert answer.status == HTTPStatus.OK


def test_a_log_that_is_not_watched_is_not_found(judge: Judge) -> None:
    answer = judge.add_checkpoint(ToyLog(NoteSigner("log.example/other")).submission(0, 3))
    assert answer == Answer(HTTPStatus.NOT_FOUND, "This witness does not watch log.example/other.\n")


def test_a_checkpoint_that_the_log_did_not_sign_is_forbidden(judge: Judge) -> None:
    answer = judge.add_checkpoint(ToyLog(NoteSigner(ORIGIN)).submission(0, 3))
    assert answer.status == HTTPStatus.FORBIDDEN
    assert "No key of log.example/ledger signed that" in answer.body


def test_an_altered_checkpoint_is_forbidden(judge: Judge, log: ToyLog) -> None:
    altered = log.note(3).replace("\n3\n", "\n4\n", 1)
    assert judge.add_checkpoint(submission(old=0, proof=[], note=altered)).status == HTTPStatus.FORBIDDEN


def test_an_old_size_beyond_the_checkpoint_is_a_bad_request(judge: Judge, log: ToyLog) -> None:
    assert judge.add_checkpoint(log.submission(4, 3)) == Answer(
        HTTPStatus.BAD_REQUEST, "The old size is larger than that of the checkpoint.\n"
    )


@pytest.mark.parametrize("old", [0, 1, 4, 6])
def test_another_old_size_than_the_one_cosigned_last_is_a_conflict(judge: Judge, log: ToyLog, old: int) -> None:
    judge.add_checkpoint(log.submission(0, 5))
    assert judge.add_checkpoint(log.submission(old, 9)) == known_size(5)


def test_a_log_that_went_back_is_not_cosigned(judge: Judge, log: ToyLog, memory: Memory) -> None:
    judge.add_checkpoint(log.submission(0, 5))
    assert judge.add_checkpoint(log.submission(0, 3)) == known_size(5)
    assert judge.add_checkpoint(log.submission(3, 4)) == known_size(5)
    assert memory.seen(ORIGIN).size == 5


@pytest.mark.parametrize("size", [5, 6, 8, 300])
def test_a_log_that_forked_is_not_cosigned(
    judge: Judge, log: ToyLog, memory: Memory, size: int, caplog: pytest.LogCaptureFixture
) -> None:
    judge.add_checkpoint(log.submission(0, 5))
    fork = ToyLog(log.signer, "other")

    answer = judge.add_checkpoint(fork.submission(5, size))

    assert answer.status in (HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)
    assert memory.seen(ORIGIN).root == log.root(5)
    # Both signed checkpoints are there for whoever has to prove that the log forked.
    assert log.note(5) in caplog.text
    assert fork.note(size) in caplog.text


def test_two_trees_of_one_size_are_a_conflict(judge: Judge, log: ToyLog) -> None:
    judge.add_checkpoint(log.submission(0, 5))
    assert judge.add_checkpoint(ToyLog(log.signer, "other").submission(5, 5)) == known_size(5)


@pytest.mark.parametrize("spoil", ["missing", "short", "long", "flipped", "swapped"])
def test_a_proof_that_proves_nothing_is_refused(judge: Judge, log: ToyLog, memory: Memory, spoil: str) -> None:
    judge.add_checkpoint(log.submission(0, 5))
    proof = log.consistency(5, 11)
    wrong = {
        "missing": [],
        "short": proof[:-1],
        "long": [*proof, proof[0]],
        "flipped": [bytes([proof[0][0] ^ 1]) + proof[0][1:], *proof[1:]],
        "swapped": proof[::-1],
    }[spoil]

    answer = judge.add_checkpoint(submission(old=5, proof=wrong, note=log.note(11)))

    assert answer.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert memory.seen(ORIGIN).size == 5


@pytest.mark.parametrize("old", [0, 5])
def test_where_nothing_is_to_be_proven_a_proof_is_refused(judge: Judge, log: ToyLog, old: int) -> None:
    judge.add_checkpoint(log.submission(0, old))
    answer = judge.add_checkpoint(submission(old=old, proof=[bytes(32)], note=log.note(5)))
    assert answer.status == HTTPStatus.UNPROCESSABLE_ENTITY


def test_the_empty_tree_has_one_root_only(judge: Judge, log: ToyLog) -> None:
    wrong = log.signer.sign(log.text(0).replace(log.text(0).split("\n")[2], b64encode(bytes(32)).decode()))
    assert judge.add_checkpoint(submission(old=0, proof=[], note=wrong)) == known_size(0)


def test_logs_are_independent_of_each_other(memory: Memory, log: ToyLog) -> None:
    other = ToyLog(NoteSigner("log.example/other"), "other")
    judge = Judge(memory, WatchedLogs([log.signer.log_key.vkey, other.signer.log_key.vkey]).keys_of)
    assert judge.add_checkpoint(log.submission(0, 5)).status == HTTPStatus.OK
    assert judge.add_checkpoint(other.submission(0, 3)).status == HTTPStatus.OK
    assert judge.add_checkpoint(log.submission(5, 6)).status == HTTPStatus.OK


def test_a_log_may_change_its_key(memory: Memory, log: ToyLog) -> None:
    after = ToyLog(NoteSigner(ORIGIN))
    judge = Judge(memory, WatchedLogs([log.signer.log_key.vkey, after.signer.log_key.vkey]).keys_of)
    assert judge.add_checkpoint(log.submission(0, 5)).status == HTTPStatus.OK
    assert judge.add_checkpoint(after.submission(5, 6)).status == HTTPStatus.OK


@pytest.mark.parametrize(
    "head",
    [
        "",
        "old",
        "old x",
        "old -1",
        "old 00",
        "old 01",
        "old 9" + "9" * 19,
        "Old 0",
        "old 0 ",
        "old 0\r",
        "size 0",
        "old 0\nnot base64!",
        "old 0\n" + b64encode(bytes(31)).decode(),
        "old 0\n" + "\n".join([b64encode(bytes(32)).decode()] * (MAX_PROOF_LINES + 1)),
    ],
)
def test_a_request_of_another_form_is_a_bad_request(judge: Judge, log: ToyLog, head: str) -> None:
    assert judge.add_checkpoint(f"{head}\n\n{log.note(5)}".encode()).status == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"old 0\n\n",
        b"old 0\n\n\xff\xfe",
        b"old 0\n\nlog.example/ledger\n5\n",
        b"\xe2\x80\x94 x y\n",
    ],
)
def test_a_request_without_checkpoint_is_a_bad_request(judge: Judge, body: bytes) -> None:
    assert judge.add_checkpoint(body).status == HTTPStatus.BAD_REQUEST


def test_a_checkpoint_with_further_lines_is_a_bad_request(judge: Judge, log: ToyLog) -> None:
    note = log.signer.sign(log.text(5) + "extension\n")
    assert judge.add_checkpoint(submission(old=0, proof=[], note=note)).status == HTTPStatus.BAD_REQUEST


def test_what_cannot_be_remembered_is_not_cosigned(
    judge: Judge, log: ToyLog, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Memory, origin: str, seen: Seen) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Memory, "remember", full)
        with pytest.raises(OSError, match="no space"):
            judge.add_checkpoint(log.submission(0, 5))

    assert memory.seen(ORIGIN) == Seen()
    assert judge.add_checkpoint(log.submission(0, 5)).status == HTTPStatus.OK


def test_a_witness_that_ends_between_remembering_and_answering_cosigns_the_same_again(
    tmp_path: Path, log: ToyLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = WatchedLogs([log.signer.log_key.vkey])

    def end(**values: object) -> str:
        raise KeyboardInterrupt

    with open_memory(tmp_path, name=WITNESS_NAME) as memory, monkeypatch.context() as patch:
        patch.setattr(judge_module, "cosign", end)
        with pytest.raises(KeyboardInterrupt):
            Judge(memory, logs.keys_of).add_checkpoint(log.submission(0, 5))

    with open_memory(tmp_path, name=WITNESS_NAME) as memory:
        again = Judge(memory, logs.keys_of)
        assert again.add_checkpoint(log.submission(0, 5)) == known_size(5)
        assert again.add_checkpoint(log.submission(5, 5)).status == HTTPStatus.OK


def test_two_requests_at_once_cannot_roll_the_log_back(
    judge: Judge, log: ToyLog, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race of the specification: the smaller checkpoint is checked first and remembered last."""
    judge.add_checkpoint(log.submission(0, 5))
    small_was_checked = threading.Event()
    real = judge_module._require_continuation

    def slowly(asked: Submission, last: Seen) -> None:
        real(asked, last)
        small_was_checked.set()
        threading.Event().wait(0.2)

    monkeypatch.setattr(judge_module, "_require_continuation", slowly)
    with ThreadPoolExecutor(2) as pool:
        small = pool.submit(judge.add_checkpoint, log.submission(5, 6))
        small_was_checked.wait(PATIENCE_SECONDS)
        large = pool.submit(judge.add_checkpoint, log.submission(5, 9))
        assert small.result().status == HTTPStatus.OK
        assert large.result() == known_size(6)
    assert memory.seen(ORIGIN).size == 6


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    shown=st.lists(
        st.tuples(st.sampled_from(["true", "other"]), st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=12
    )
)
def test_everything_that_is_cosigned_is_one_history(
    tmp_path_factory: pytest.TempPathFactory, shown: list[tuple[str, int, int]]
) -> None:
    signer = NoteSigner()
    with open_memory(tmp_path_factory.mktemp("witness"), name=WITNESS_NAME) as memory:
        judge = Judge(memory, WatchedLogs([signer.log_key.vkey]).keys_of)
        cosigned = [
            (history, size)
            for history, old, size in shown
            if judge.add_checkpoint(ToyLog(signer, history).submission(old, size)).status == HTTPStatus.OK
        ]
    assert [size for _, size in cosigned] == sorted(size for _, size in cosigned)
    assert len({history for history, size in cosigned if size}) <= 1


def test_the_note_that_was_cosigned_is_kept(judge: Judge, log: ToyLog, memory: Memory) -> None:
    judge.add_checkpoint(log.submission(0, 5))
    assert split_note(memory.seen(ORIGIN).note)[0] == log.text(5)
