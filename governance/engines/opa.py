"""The engine that asks an OPA server (https://www.openpolicyagent.org/docs/rest-api#data-api).

OPA pulls our signed bundles by itself, so right after an activation it may still run the revision before. Every answer
names the revision that gave it: an answer of another revision is no answer. The engine then asks again until its time
is up, and once that has happened it fails at once until the server has caught up, so that a server left behind does
not make every caller wait.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from opa_client.opa import OpaClient
from requests import Session
from requests.exceptions import ConnectionError as ConnectionFailed
from requests.exceptions import ReadTimeout, RequestException

from governance.engines.errors import EngineUnavailable, PolicyOverBudget
from governance.engines.opa_modules import PDP_PATH
from governance.engines.rego import RegoEngine
from governance.engines.rego_input import FactMissing, FactTree, exact_facts, fact_tree, slice_facts
from governance.engines.rego_sandbox import DEFAULT_BUDGET_MS
from governance.engines.rego_source import read_source
from governance.engines.rego_writer import NotRepresentable
from governance.engines.results import missing_attribute, result_of, unknown_action
from governance.engines.types import EngineRequest, EngineResult, PolicyProgram
from governance.kernel.canonical import NotCanonical, digest
from governance.kernel.errors import InvalidInput

_PAUSE_SECONDS = 0.05
# A built-in that fails must not pass for "the condition does not hold".
_STRICT = {"strict-builtin-errors": "true"}


class OpaAddressInvalid(InvalidInput):
    """The address of the OPA server cannot be used."""

    code = "opa_address_invalid"


class RevisionBehind(EngineUnavailable):
    """The server runs another revision than the active one, or none yet."""


class OpaTimeout(EngineUnavailable):
    """The server was reached, and did not answer in time."""


class _Client(OpaClient):  # type: ignore[misc]
    """One thread's connection, kept open. Proxies and netrc of the environment are not used."""

    def _init_session(self) -> Session:
        session: Session = super()._init_session()
        session.trust_env = False
        return session


class OpaEngine:
    """A `PolicyEngine` on an OPA server. Safe to share between threads; each keeps a connection of its own."""

    name = "opa"

    def __init__(
        self,
        *,
        url: str,
        timeout: float,
        token: str = "",
        custom_budget_ms: int = DEFAULT_BUDGET_MS,
        mark: Callable[[str], str] | None = None,
    ) -> None:
        """Ask the server at `url` (http or https) and wait `timeout` seconds at most for a whole batch.

        A batch that hand-written rules take part in waits four times `custom_budget_ms` at most: OPA ends an evaluation
        when whoever asked hangs up, and counts no processor time.
        `token` is the bearer token of a server started with `--authentication=token`. `mark` gives each question about
        facts of a digest a mark of its own, by which it is known in the server's log. Raises OpaAddressInvalid.
        """
        self._address = _address(url)
        self._timeout = timeout
        self._token = token
        self._custom_timeout = min(timeout, 4 * custom_budget_ms / 1000)
        self._mark = mark
        self._threads = threading.local()
        self._behind = ""

    def evaluate(self, *, program: PolicyProgram, requests: Sequence[EngineRequest]) -> list[EngineResult]:
        """Answer every request, in order, by one query. Raises EngineUnavailable when any cannot be answered."""
        try:
            prepared = [_prepared(program, request) for request in requests]
            facts_digest = digest([request.facts for request in requests])
        except (NotRepresentable, NotCanonical) as error:
            raise EngineUnavailable(str(error)) from error
        asked = [each for each in prepared if isinstance(each, dict)]
        documents = iter(self._documents(program, asked, facts_digest))
        return [
            result_of(document=next(documents), program=program, request=request) if isinstance(each, dict) else each
            for each, request in zip(prepared, requests, strict=True)
        ]

    def check(self, *, program: PolicyProgram) -> None:
        """Refuse modules that call what is not allowed, or that do not build. Raises ProgramRejected.

        The server itself takes no part: it compiles a bundle before it gives up the one before.
        """
        RegoEngine().check(program=program)

    def health(self, *, program: PolicyProgram) -> None:
        """Return when the server decides by this program now. Raises EngineUnavailable."""
        self._ask(program, [], "", time.monotonic() + self._timeout)

    def _documents(self, program: PolicyProgram, asked: list[dict[str, object]], facts_digest: str) -> list[object]:
        if not asked:
            return []
        is_custom = any(each["action"] in program.custom for each in asked)
        deadline = time.monotonic() + (self._custom_timeout if is_custom else self._timeout)
        while True:
            try:
                documents = self._ask(program, asked, facts_digest, deadline)
            except OpaTimeout as error:
                if not is_custom:
                    raise
                raise PolicyOverBudget("The hand-written rules needed longer than they may take.") from error
            except RevisionBehind:
                if self._behind == program.revision or time.monotonic() + _PAUSE_SECONDS >= deadline:
                    self._behind = program.revision
                    raise
                time.sleep(_PAUSE_SECONDS)
            else:
                self._behind = ""
                return documents

    def _ask(
        self, program: PolicyProgram, asked: list[dict[str, object]], facts_digest: str, deadline: float
    ) -> list[object]:
        """Query once. Raises RevisionBehind, or EngineUnavailable for anything else that is not a sound answer."""
        answer = self._query({"facts_sha256": facts_digest, "requests": asked}, deadline).get("result")
        if not isinstance(answer, Mapping) or answer.get("revision") != program.revision:
            raise RevisionBehind(f"The OPA server does not run revision {program.revision}.")
        answers = answer.get("answers")
        if not isinstance(answers, list) or len(answers) != len(asked):
            raise EngineUnavailable("The OPA server did not answer every request.")
        return answers

    def _query(self, document: dict[str, object], deadline: float) -> dict[str, object]:
        client = self._client()
        try:
            return _post(client, self._marked(document), deadline)
        except ConnectionFailed:  # a kept connection that the server has closed fails once
            if time.monotonic() >= deadline:
                raise EngineUnavailable("The OPA server cannot be reached.") from None
        except ReadTimeout as error:
            raise OpaTimeout("The OPA server did not answer in time.") from error
        except RequestException as error:
            raise EngineUnavailable(f"The OPA server gave no answer: {error}") from error
        try:
            return _post(client, self._marked(document), deadline)
        except ReadTimeout as error:
            raise OpaTimeout("The OPA server did not answer in time.") from error
        except RequestException as error:
            raise EngineUnavailable(f"The OPA server cannot be reached: {error}") from error

    def _marked(self, document: dict[str, object]) -> dict[str, object]:
        return document if self._mark is None else {**document, "asked": self._mark(str(document["facts_sha256"]))}

    def _client(self) -> _Client:
        client: _Client | None = getattr(self._threads, "client", None)
        if client is None:
            host, port, secure = self._address
            client = _Client(host=host, port=port, ssl=secure, token=self._token or None, retries=0)
            self._threads.client = client
        return client


def _address(url: str) -> tuple[str, int, bool]:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    try:
        port = parts.port or (443 if secure else 8181)
    except ValueError as error:
        raise OpaAddressInvalid(f"OPA_URL '{url}' has no usable port.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise OpaAddressInvalid(f"OPA_URL must be http(s)://host:port, not '{url}'.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return host, port, secure


def _post(client: _Client, document: dict[str, object], deadline: float) -> dict[str, object]:
    client.timeout = max(0.001, deadline - time.monotonic())
    answer = client.query_rule(document, PDP_PATH, query_params=_STRICT)
    if not isinstance(answer, dict):
        raise EngineUnavailable("The OPA server's answer is not a JSON object.")
    return answer


def _prepared(program: PolicyProgram, request: EngineRequest) -> dict[str, object] | EngineResult:
    """Return a request as OPA takes it, with the facts that its module reads; or a denial that needs no query."""
    source = program.modules.get(request.action)
    if source is None:
        return unknown_action(request.action)
    try:
        facts = slice_facts(request.facts, _facts_read(source))
    except FactMissing as missing:
        return missing_attribute(missing.path)
    return {"action": request.action, "facts": exact_facts(facts)}


@lru_cache(maxsize=128)
def _facts_read(source: str) -> "FactTree | None":
    return fact_tree(read_source(source).facts)
