"""Cosignatures from witnesses: other parties confirm that a checkpoint continues the one they saw before.

The protocol is c2sp.org/tlog-witness, the signatures are those of c2sp.org/tlog-cosignature. A witness that is slow,
unavailable or wrong only loses its own cosignature; the caller decides whether there are enough.
"""

import logging
import math
import re
import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from django.conf import settings
from requests import PreparedRequest, Session
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from governance.kernel import clock
from governance.kernel.errors import InvalidInput
from governance.transparency.notes import (
    COSIGNATURE_V1,
    NoteInvalid,
    NoteKey,
    parse_checkpoint,
    parse_signature_line,
    parse_vkey,
    split_note,
    verify_cosignature,
)

logger = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 64 * 1024
#: How long to wait for the others once enough have cosigned: a round trip around the world.
GRACE_SECONDS = 0.5
#: How far a witness's clock may be ahead of this one.
MAX_AHEAD_SECONDS = 300
SIZE_TYPE = "text/x.tlog.size"
_MEMBERS = {"name", "url", "vkey"}
_HEADERS = {"Content-Type": "text/plain; charset=utf-8", "Accept-Encoding": "identity"}
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")


class WitnessInvalid(InvalidInput):
    """The description of a witness is incomplete or inconsistent."""

    code = "witness_invalid"


@dataclass(frozen=True, slots=True)
class Witness:
    """Somebody who cosigns: `url` is its submission prefix, below which `add-checkpoint` is found."""

    name: str
    url: str
    key: NoteKey


@dataclass(frozen=True, slots=True)
class CosignatureReceived:
    """A verified cosignature: the witness's name, the signature line without newline, and when it signed."""

    witness: str
    line: str
    witnessed_at: datetime


@dataclass(frozen=True, slots=True)
class _Refused:
    """A missing cosignature: why, whether that is alarming, and the size that the witness names (409)."""

    why: str
    alarming: bool = False
    size: int | None = None


_Answer: TypeAlias = CosignatureReceived | _Refused


_LATE = _Refused("it did not answer in time")


class _Patience:
    """How long to wait for answers: `timeout` seconds from now, less once `enough` have cosigned."""

    def __init__(self, timeout: float, enough: int | None) -> None:
        self._end = time.monotonic() + timeout
        self._missing = math.inf if enough is None else enough
        self._shorten()

    def count(self, answer: _Answer) -> None:
        if isinstance(answer, CosignatureReceived):
            self._missing -= 1
            self._shorten()

    def left(self) -> float:
        """Return how many seconds are left; 0 when none are."""
        return max(0.0, self._end - time.monotonic())

    def _shorten(self) -> None:
        if self._missing <= 0:
            self._end = min(self._end, time.monotonic() + GRACE_SECONDS)


def configured_witnesses() -> tuple[Witness, ...]:
    """Return the witnesses of this installation, as ASSENT_WITNESSES lists them."""
    return witnesses_of(settings.ASSENT_WITNESSES)


def witnesses_of(descriptions: Sequence[Mapping[str, Any]]) -> tuple[Witness, ...]:
    """Return the witnesses that objects with `name`, `url` and `vkey` describe. Raises WitnessInvalid."""
    witnesses = tuple(_witness(each) for each in descriptions)
    for what in ("name", "url"):
        if len({getattr(witness, what) for witness in witnesses}) != len(witnesses):
            raise WitnessInvalid(f"Two witnesses have the same {what}: list each one once.")
    if len({witness.key.public for witness in witnesses}) != len(witnesses):
        raise WitnessInvalid("Two witnesses have the same key: they are one, and must count as one.")
    return witnesses


def _witness(description: Mapping[str, Any]) -> Witness:
    if set(description) != _MEMBERS or not all(isinstance(value, str) for value in description.values()):
        raise WitnessInvalid("A witness has exactly the texts 'name', 'url' and 'vkey'.")
    name, url = description["name"], description["url"].rstrip("/")
    try:
        key = parse_vkey(description["vkey"])
    except NoteInvalid as error:
        raise WitnessInvalid(f"The key of witness {name!r} cannot be used: {error.message}") from error
    if key.algorithm != COSIGNATURE_V1:
        raise WitnessInvalid(f"The key of {name!r} is a log's: a witness's begins with type 4 (tlog-cosignature).")
    if key.name != name:
        raise WitnessInvalid(f"The key of witness {name!r} is that of {key.name!r}: use the name in the key.")
    if not _is_web_address(url):
        raise WitnessInvalid(f"{url!r} is not the address of witness {name!r}: it begins with http:// or https://.")
    return Witness(name=name, url=url, key=key)


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query and not parts.fragment


def cosign_all(
    *,
    checkpoint_note: str,
    old_size_of: Callable[[Witness], int],
    proof_of: Callable[[int], Sequence[bytes]],
    witnesses: Sequence[Witness],
    timeout: float,
    enough: int | None = None,
) -> list[CosignatureReceived]:
    """Ask all witnesses at once to cosign a checkpoint, and return the valid cosignatures.

    `old_size_of` returns the size that a witness is expected to have cosigned last. A witness that knows another size
    names it and is asked once more from there. `proof_of(size)` returns the consistency proof from there to this
    checkpoint; both are called in the caller's thread. This takes at most `timeout` seconds, and only GRACE_SECONDS
    more once `enough` have cosigned (None: wait for all). Failures are logged, never raised, except NoteInvalid for a
    note that is not a checkpoint.
    """
    text, _ = split_note(checkpoint_note)
    size = parse_checkpoint(text).size
    incoming: SimpleQueue[tuple[Witness, _Answer]] = SimpleQueue()

    def ask(witness: Witness, old: int) -> None:
        body = _body(checkpoint_note, old, size, proof_of)

        def collect() -> None:
            incoming.put((witness, _ask(witness, body, text=text, timeout=timeout)))

        Thread(target=collect, name=f"witness-{witness.name}", daemon=True).start()

    believed = {witness: min(old_size_of(witness), size) for witness in witnesses}
    patience = _Patience(timeout, enough)
    for witness, old in believed.items():
        ask(witness, old)
    answers: dict[Witness, _Answer] = {}
    with suppress(Empty):
        while len(answers) < len(witnesses):
            witness, answer = incoming.get(timeout=patience.left())
            named = _to_go_on_from(answer, believed.get(witness), size)
            if named is None:
                answers[witness] = answer
                patience.count(answer)
            else:
                del believed[witness]  # so that it is asked again only once
                ask(witness, named)
    ordered = [answers.get(witness, _LATE) for witness in witnesses]
    for witness, answer in zip(witnesses, ordered, strict=True):
        _log(witness, answer, size)
    return [answer for answer in ordered if isinstance(answer, CosignatureReceived)]


def _to_go_on_from(answer: _Answer, believed: int | None, size: int) -> int | None:
    """Return the size that a witness named instead of the one it was asked from, if a proof from there is possible."""
    if believed is None or isinstance(answer, CosignatureReceived) or answer.size in (None, believed):
        return None
    return answer.size if answer.size <= size else None


def _body(note: str, old: int, size: int, proof_of: Callable[[int], Sequence[bytes]]) -> bytes:
    """Return the body of `add-checkpoint`. From an empty tree or the same tree there is nothing to prove."""
    proof = proof_of(old) if 0 < old < size else ()
    lines = [f"old {old}", *(b64encode(each).decode("ascii") for each in proof)]
    return ("\n".join(lines) + "\n\n" + note).encode()


def _ask(witness: Witness, body: bytes, *, text: str, timeout: float) -> _Answer:
    """Send one request and check the answer (c2sp.org/tlog-witness, "add-checkpoint")."""
    address = f"{witness.url}/add-checkpoint"
    try:
        with _session(witness.url).post(
            address, data=body, headers=_HEADERS, timeout=timeout, allow_redirects=False, stream=True
        ) as response:
            said = response.raw.read(MAX_ANSWER_BYTES + 1, decode_content=True)
    except (RequestException, HTTPError, OSError) as error:
        return _Refused(f"{address} cannot be asked: {error}")
    if len(said) > MAX_ANSWER_BYTES:
        return _Refused(f"its answer is longer than {MAX_ANSWER_BYTES} bytes")
    if response.status_code == HTTPStatus.CONFLICT:
        return _conflict(response.headers.get("Content-Type", ""), said)
    if response.status_code != HTTPStatus.OK:
        # 422: the proof does not match what the witness saw. This is not a network failure.
        alarming = response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        reason = said[:200].decode(errors="replace").strip().rstrip(".")
        return _Refused(f"it answered {response.status_code}: {reason}", alarming)
    return _cosignature(witness, text, said)


def _conflict(content_type: str, said: bytes) -> _Refused:
    number = _SIZE.fullmatch(said)
    if content_type.partition(";")[0].strip().lower() != SIZE_TYPE or number is None:
        return _Refused("it answered 409 without the size that it knows", alarming=True)
    size = int(number[1])
    return _Refused(f"it has cosigned {size} entries and does not find this checkpoint after them", True, size)


def _cosignature(witness: Witness, text: str, said: bytes) -> _Answer:
    """Return the first cosignature of the witness's key; lines of other keys are ignored, as the protocol requires."""
    try:
        for line in said.decode().splitlines():
            parsed = parse_signature_line(line)
            if (parsed.name, parsed.key_hash) != (witness.key.name, witness.key.key_hash):
                continue
            at = verify_cosignature(text=text, line=line, key=witness.key)
            if at > clock.now().timestamp() + MAX_AHEAD_SECONDS:
                return _Refused(f"it signed at {at} (POSIX time), which is in the future: compare the clocks", True)
            return CosignatureReceived(witness.name, line, datetime.fromtimestamp(at, UTC))
    except (NoteInvalid, UnicodeDecodeError) as error:
        return _Refused(f"its cosignature is wrong: {error}", alarming=True)
    return _Refused(f"its answer has no signature of {witness.key.vkey}", alarming=True)


@lru_cache(maxsize=64)
def _session(url: str) -> Session:
    """Return the session that keeps a witness's connection. Credentials in the environment are never sent to
    witnesses, and its proxies are not used for addresses without TLS, which are local."""
    session = Session()
    session.trust_env = url.startswith("https:")
    session.auth = _without_login
    return session


def _without_login(request: PreparedRequest) -> PreparedRequest:
    return request


def _log(witness: Witness, answer: _Answer, size: int) -> None:
    if isinstance(answer, _Refused):
        level = logging.ERROR if answer.alarming else logging.WARNING
        logger.log(level, "Witness %s did not cosign the checkpoint of %d entries: %s.", witness.name, size, answer.why)
