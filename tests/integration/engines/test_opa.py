"""The engine on a real OPA server."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from governance.engines import opa as engine_module
from governance.engines.errors import EngineUnavailable, ProgramRejected
from governance.engines.opa import OpaAddressInvalid, OpaEngine
from governance.engines.ports import PolicyEngine, RemoteEngine
from governance.engines.rego import RegoEngine
from governance.engines.types import Effect, EngineRequest, PolicyProgram
from governance.rulebook.content import build_content, program_of
from governance.rulebook.rules import system_rules
from governance.rulebook.schema import current_schema
from governance.rulebook.types import Compare, Operator
from scripts.stack.opa import EmbeddedOpa
from tests.factories import opa
from tests.factories.rulebook import permitted_facts, rule
from tests.waiting import PATIENCE_SECONDS

TIMEOUT = 0.6


def compiled(*abac) -> PolicyProgram:
    content = build_content(schema=current_schema(), system=system_rules(), abac=list(abac))
    return program_of(text=content.text, digest=content.digest)


PROGRAM = compiled()
OTHER = compiled(rule(condition=Compare("subject.region", Operator.EQ, "FR")))
INFER = EngineRequest("asset.infer", permitted_facts("asset.infer"))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home: Path = tmp_path_factory.mktemp("opa")
    with EmbeddedOpa(home, log=home / "opa.log") as server:
        yield server.url


@pytest.fixture
def server(url: str) -> Iterator[str]:
    opa.push(url, PROGRAM)
    yield url
    opa.clear(url)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return how long the engine waited before it asked again, each time."""
    taken: list[float] = []
    pause = time.sleep
    slept = SimpleNamespace(monotonic=time.monotonic, sleep=lambda seconds: taken.append(seconds) or pause(seconds))
    monkeypatch.setattr(engine_module, "time", slept)
    return taken


def engine_at(url: str, timeout: float = PATIENCE_SECONDS) -> OpaEngine:
    return OpaEngine(url=url, timeout=timeout)


@contextmanager
def listening(answer: bytes | None) -> Iterator[str]:
    """A server that takes connections and says always the same, or nothing at all."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(8) as threads:
        listener.settimeout(0.1)

        def hold(connection: socket.socket) -> None:
            with connection:
                connection.settimeout(0.1)
                while not stop.is_set():
                    try:
                        connection.recv(65536)
                        connection.sendall(answer or b"")
                    except TimeoutError:
                        continue
                    except OSError:
                        return

        def accept() -> None:
            while not stop.is_set():
                try:
                    threads.submit(hold, listener.accept()[0])
                except TimeoutError:
                    continue

        threads.submit(accept)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stop.set()


def test_it_is_a_policy_engine_that_depends_on_another_program():
    engine: PolicyEngine = engine_at("http://127.0.0.1:1")
    assert isinstance(engine, RemoteEngine)
    assert not isinstance(RegoEngine(), RemoteEngine)


def test_it_answers_as_the_embedded_engine(server):
    batch = [
        INFER,
        EngineRequest("asset.infer", permitted_facts("asset.infer", consent__state="withdrawn")),
        EngineRequest("output.release", permitted_facts("output.release", moderation__output_score=0.93)),
        EngineRequest("asset.fly", {}),
        EngineRequest("model.invoke", permitted_facts("model.invoke", subject__region='"\\é\u2028')),
    ]
    assert engine_at(server).evaluate(program=PROGRAM, requests=batch) == RegoEngine().evaluate(
        program=PROGRAM, requests=batch
    )


def test_a_fact_that_is_not_given_is_a_denial_without_asking():
    [result] = engine_at("http://127.0.0.1:1").evaluate(program=PROGRAM, requests=[EngineRequest("model.invoke", {})])
    assert [reason.code for reason in result.reasons] == ["facts_incomplete"]


def test_a_batch_is_one_query(server, monkeypatch):
    asked = []
    engine = engine_at(server)
    query = engine._query
    monkeypatch.setattr(engine, "_query", lambda *each: asked.append(each) or query(*each))
    assert len(engine.evaluate(program=PROGRAM, requests=[INFER] * 5)) == 5
    assert len(asked) == 1


def test_only_the_facts_that_the_module_reads_are_sent(server, monkeypatch):
    sent = []
    engine = engine_at(server)
    query = engine._query
    monkeypatch.setattr(engine, "_query", lambda *each: sent.append(each[0]) or query(*each))
    engine.evaluate(program=PROGRAM, requests=[EngineRequest("asset.infer", {**INFER.facts, "secret": "x"})])
    assert "secret" not in sent[0]["requests"][0]["facts"]


def test_a_denial_names_its_rules_and_reasons(server):
    facts = permitted_facts("asset.infer", consent__state="withdrawn")
    [result] = engine_at(server).evaluate(program=PROGRAM, requests=[EngineRequest("asset.infer", facts)])
    assert result.effect is Effect.DENY
    assert result.matched_denies
    assert all(reason.rule_id in PROGRAM.rules for reason in result.reasons)


def test_threads_share_an_engine(server):
    engine = engine_at(server)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: engine.evaluate(program=PROGRAM, requests=[INFER])[0].effect, range(40)))
    assert answers == [Effect.PERMIT] * 40


def test_an_answer_of_another_revision_is_an_error(server):
    begun = time.monotonic()
    with pytest.raises(EngineUnavailable, match="does not run revision"):
        engine_at(server, TIMEOUT).evaluate(program=OTHER, requests=[INFER])
    assert time.monotonic() - begun < TIMEOUT + PATIENCE_SECONDS


def test_a_server_with_an_old_revision_makes_only_one_caller_wait(server, pauses):
    engine = engine_at(server, TIMEOUT)
    with pytest.raises(EngineUnavailable):
        engine.evaluate(program=OTHER, requests=[INFER])
    waits = len(pauses)
    with pytest.raises(EngineUnavailable):
        engine.evaluate(program=OTHER, requests=[INFER])
    assert (waits > 0, len(pauses)) == (True, waits)
    opa.push(server, OTHER)
    assert engine.evaluate(program=OTHER, requests=[INFER])[0].effect is Effect.PERMIT


def test_a_revision_that_arrives_in_time_decides(server):
    engine = engine_at(server)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(engine.evaluate, program=OTHER, requests=[INFER])
        time.sleep(0.2)
        opa.push(server, OTHER)
        assert waiting.result()[0].effect is Effect.PERMIT


def test_a_server_without_policy_gives_no_answer(url):
    with pytest.raises(EngineUnavailable):
        engine_at(url, TIMEOUT).evaluate(program=PROGRAM, requests=[INFER])


def test_a_server_that_is_down_is_an_error():
    begun = time.monotonic()
    with pytest.raises(EngineUnavailable, match="cannot be reached"):
        engine_at("http://127.0.0.1:1", TIMEOUT).evaluate(program=PROGRAM, requests=[INFER])
    assert time.monotonic() - begun < TIMEOUT + PATIENCE_SECONDS


def test_a_silent_server_is_given_up_in_time():
    with listening(None) as silent:
        begun = time.monotonic()
        with pytest.raises(EngineUnavailable):
            engine_at(silent, TIMEOUT).evaluate(program=PROGRAM, requests=[INFER])
        assert time.monotonic() - begun < TIMEOUT + PATIENCE_SECONDS


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b"[]",
        b"{}",
        b'{"result": 1}',
        b'{"result": {"revision": "%s", "answers": []}}' % PROGRAM.revision.encode(),
        b'{"result": {"revision": "%s", "answers": [{"effect": "permit"}]}}' % PROGRAM.revision.encode(),
        b'{"result": {"revision": "%s", "answers": [{"effect": "permit", "permits": [], "denies": []}]}}'
        % PROGRAM.revision.encode(),
    ],
)
def test_a_malformed_answer_is_an_error(body):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    with listening(head + body) as odd, pytest.raises(EngineUnavailable):
        engine_at(odd, TIMEOUT).evaluate(program=PROGRAM, requests=[INFER])


def test_a_server_error_gives_no_decision():
    answer = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\n{}"
    with listening(answer) as broken, pytest.raises(EngineUnavailable, match="500"):
        engine_at(broken, TIMEOUT).evaluate(program=PROGRAM, requests=[INFER])


def test_facts_that_no_engine_holds_exactly_get_no_answer(server):
    facts = {**INFER.facts, "asset": {**INFER.facts["asset"], "creator": "\ud800"}}
    with pytest.raises(EngineUnavailable):
        engine_at(server).evaluate(program=PROGRAM, requests=[EngineRequest("asset.infer", facts)])


def test_health_is_about_the_revision(server):
    engine_at(server).health(program=PROGRAM)
    with pytest.raises(EngineUnavailable):
        engine_at(server).health(program=OTHER)


def test_a_program_with_a_forbidden_function_is_refused():
    modules = {**PROGRAM.modules, "asset.infer": "package assent.asset.infer\n\ndecision := http.send({})\n"}
    with pytest.raises(ProgramRejected):
        engine_at("http://127.0.0.1:1").check(program=replace(PROGRAM, modules=modules))


@pytest.mark.parametrize("url", ["", "127.0.0.1:8181", "ftp://x", "http://h:port", "http://h/v1", "http://h:70000"])
def test_an_odd_address_is_refused(url):
    with pytest.raises(OpaAddressInvalid):
        engine_at(url)


def test_no_requests_give_no_answers():
    assert engine_at("http://127.0.0.1:1").evaluate(program=PROGRAM, requests=[]) == []
