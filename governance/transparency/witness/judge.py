"""Decides whether a witness cosigns a checkpoint (c2sp.org/tlog-witness, "add-checkpoint")."""

import binascii
import logging
import re
import threading
from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from governance.kernel import clock
from governance.transparency.merkle import HASH_BYTES
from governance.transparency.notes import (
    COSIGNATURE_V1,
    CheckpointBody,
    NoteInvalid,
    NoteKey,
    cosign,
    note_key,
    open_note,
    parse_checkpoint,
    split_note,
)
from governance.transparency.proofs import ProofInvalid, verify_consistency
from governance.transparency.witness.memory import Memory, Seen

logger = logging.getLogger(__name__)

MAX_PROOF_LINES = 63
TEXT_TYPE = "text/plain; charset=utf-8"
SIZE_TYPE = "text/x.tlog.size"
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer over HTTP."""

    status: HTTPStatus
    body: str
    content_type: str = TEXT_TYPE


@dataclass(frozen=True, slots=True)
class Submission:
    """A checkpoint with the proof that its tree continues the one of `old` entries."""

    old: int
    proof: tuple[bytes, ...]
    note: str
    checkpoint: CheckpointBody


class SubmissionMalformed(Exception):
    """A request is not of the form that the protocol gives; the text says how."""


class Refusal(Exception):
    """The checkpoint is not cosigned; `answer` goes to the submitter."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.answer = Answer(status, why + "\n")


class KnowsOther(Refusal):
    """The checkpoint does not continue the one that was cosigned last, whose size is the answer."""

    def __init__(self, size: int) -> None:
        super().__init__(HTTPStatus.CONFLICT, str(size))
        self.answer = Answer(HTTPStatus.CONFLICT, f"{size}\n", SIZE_TYPE)


def parse_submission(body: bytes) -> Submission:
    """Read a request's body. Raises SubmissionMalformed."""
    try:
        head, separator, note = body.decode().partition("\n\n")
        checkpoint = parse_checkpoint(split_note(note)[0])
    except (UnicodeDecodeError, NoteInvalid) as error:
        raise SubmissionMalformed(f"The request holds no checkpoint: {error}") from error
    first, *lines = head.split("\n")
    old = _OLD.fullmatch(first)
    if not separator or old is None:
        raise SubmissionMalformed("The request does not begin with 'old' and the size to go on from.")
    if len(lines) > MAX_PROOF_LINES:
        raise SubmissionMalformed(f"A proof has {MAX_PROOF_LINES} lines at most, not {len(lines)}.")
    return Submission(int(old[1]), tuple(_hash(line) for line in lines), note, checkpoint)


def _hash(line: str) -> bytes:
    try:
        found = b64decode(line, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SubmissionMalformed(f"A line of the proof is not base64: {error}.") from error
    if len(found) != HASH_BYTES:
        raise SubmissionMalformed(f"A line of the proof holds {len(found)} bytes, not a hash of {HASH_BYTES}.")
    return found


class Judge:
    """Cosigns checkpoints of known logs. Safe for several threads: it processes one checkpoint at a time."""

    def __init__(self, memory: Memory, keys_of: Callable[[str], Sequence[NoteKey]]) -> None:
        """`keys_of` returns the keys that sign for an origin: none for a log that is not known."""
        self._memory = memory
        self._keys_of = keys_of
        # Comparing with the last checkpoint and replacing it must be one step, or a slow request could roll it back.
        self._one_at_a_time = threading.Lock()

    @property
    def key(self) -> NoteKey:
        """The key that this witness cosigns with."""
        public = self._memory.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return note_key(name=self._memory.name, public=public, algorithm=COSIGNATURE_V1)

    def add_checkpoint(self, body: bytes) -> Answer:
        """Cosign the checkpoint in a request's body, or refuse. Raises OSError when it cannot be stored."""
        try:
            submission = parse_submission(body)
            text = self._signed_text(submission)
            with self._one_at_a_time:
                return self._cosigned(submission, text)
        except SubmissionMalformed as error:
            return Answer(HTTPStatus.BAD_REQUEST, f"{error}\n")
        except Refusal as refusal:
            return refusal.answer

    def _signed_text(self, submission: Submission) -> str:
        """Return the checkpoint's text once one of the log's keys signed it. Raises Refusal."""
        origin = submission.checkpoint.origin
        keys = self._keys_of(origin)
        if not keys:
            raise Refusal(HTTPStatus.NOT_FOUND, f"This witness does not watch {origin}.")
        try:
            text = open_note(note=submission.note, keys=keys).text
        except NoteInvalid as error:
            raise Refusal(HTTPStatus.FORBIDDEN, f"No key of {origin} signed that: {error.message}") from error
        if submission.old > submission.checkpoint.size:
            raise Refusal(HTTPStatus.BAD_REQUEST, "The old size is larger than that of the checkpoint.")
        return text

    def _cosigned(self, submission: Submission, text: str) -> Answer:
        checkpoint, last = submission.checkpoint, self._memory.seen(submission.checkpoint.origin)
        if submission.old != last.size:
            raise KnowsOther(last.size)
        _require_continuation(submission, last)
        self._memory.remember(checkpoint.origin, Seen(checkpoint.size, checkpoint.root, submission.note))
        at = int(clock.now().timestamp())
        line = cosign(text=text, name=self._memory.name, public=self.key.public, sign=self._memory.key.sign, at=at)
        return Answer(HTTPStatus.OK, line)


def _require_continuation(submission: Submission, last: Seen) -> None:
    """Accept that the checkpoint's tree goes on from `last`. Raises Refusal, or KnowsOther for two trees of one size.

    Both are signed by the log: what is written to the log of this program then proves that it shows different people
    different histories.
    """
    checkpoint = submission.checkpoint
    try:
        verify_consistency(
            first=last.size,
            second=checkpoint.size,
            first_root=last.root,
            second_root=checkpoint.root,
            proof=submission.proof,
        )
    except ProofInvalid as error:
        logger.error(
            "A checkpoint does not continue the one before: %s\n--- cosigned\n%s--- refused\n%s",
            error.message,
            last.note,
            submission.note,
        )
        if checkpoint.size == last.size and checkpoint.root != last.root:
            raise KnowsOther(last.size) from error
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, error.message) from error
