"""A real OPA server under our control: it pulls signed bundles, decides, and reports back."""

import io
import json
import os
import signal
import tarfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError

from governance.api.opa import views
from governance.decisions.cache import DecisionCache
from governance.decisions.choices import DecisionKind
from governance.decisions.facts import run_questions
from governance.decisions.ports import decision_cache
from governance.decisions.services import decide
from governance.decisions.types import AccessContext
from governance.engines.errors import EngineUnavailable
from governance.engines.opa import OpaEngine
from governance.engines.opa_modules import PDP_PATH
from governance.engines.ports import policy_engine
from governance.kernel import clock
from governance.kernel.ids import new_id
from governance.kernel.vocabulary import Purpose
from governance.keys.ring import KeyPurpose, key_ring
from governance.opa.configuration import opa_configuration
from governance.opa.intake import store_logs
from governance.opa.marks import new_mark
from governance.opa.models import OpaDecisionLog, OpaServer
from governance.opa.queries import bundle_to_run
from governance.opa.reconciling import name_past_assent, reconcile
from governance.rulebook import bundles
from governance.rulebook.activation import publish_without_review
from governance.rulebook.bundles import Bundle, signed_bundle
from governance.rulebook.queries import active_program
from scripts.stack.opa import EmbeddedOpa
from tests.factories.keys import development_ring
from tests.factories.marketplace import TESTER, make_marketplace
from tests.factories.rulebook import AbacRuleFactory
from tests.waiting import PATIENCE_SECONDS, wait_until


@pytest.fixture
def market(transactional_db, monkeypatch):
    monkeypatch.setattr("celery.current_app.send_task", lambda *args, **options: None)
    return make_marketplace()


@pytest.fixture
def opa(market, enrolled, live_server, settings, tmp_path: Path) -> Iterator[EmbeddedOpa]:
    settings.ASSENT_OPA_WAIT_SECONDS = 1

    def config() -> str:
        server, token = enrolled
        key = key_ring.get().public_key(server.key_id)
        return json.dumps(opa_configuration(url=live_server.url, name=server.name, token=token, key=key))

    with EmbeddedOpa(tmp_path / "opa", log=tmp_path / "opa.log", config=config) as server:
        yield server


@pytest.fixture
def engine(opa) -> Iterator[OpaEngine]:
    engine = OpaEngine(url=opa.url, timeout=PATIENCE_SECONDS, mark=new_mark)
    with policy_engine.override(engine), decision_cache.override(DecisionCache(entries=0)):
        yield engine


def runs(engine: OpaEngine, revision: str) -> bool:
    try:
        engine.health(program=replace(active_program(), revision=revision))
    except EngineUnavailable:
        return False
    return True


def ask(market, **changes):
    context = AccessContext(
        partner=market.partner,
        client_id=market.client.client_id,
        token=market.grant.coverage,
        purpose=changes.pop("purpose", Purpose.COMMERCIAL),
        at=clock.now(),
    )
    asked = run_questions(context=context, version=market.version, assets=[market.asset])
    return decide(kind=DecisionKind.ADMISSION, job_id=new_id(), context=context, asked=asked, actor=TESTER)


def activate_another() -> str:
    AbacRuleFactory(condition={"attr": "subject.region", "op": "eq", "value": "FR"})
    return publish_without_review(actor=TESTER, note="another").digest


def error_of(server: OpaServer) -> str:
    server.refresh_from_db()
    return server.error


def test_it_decides_by_our_bundle_and_lets_nobody_else_write(engine, opa, market):
    decision = ask(market)
    assert (decision.effect, decision.engine) == ("permit", "opa")
    client = engine._client()
    assert (
        client._session.put(f"{opa.url}/v1/policies/mine", data=b"package mine", timeout=PATIENCE_SECONDS).status_code
        == 401
    )
    assert client._session.get(f"{opa.url}/v1/policies", timeout=PATIENCE_SECONDS).status_code == 401


def test_a_new_revision_is_active_without_a_restart(engine, market):
    revision = activate_another()
    assert ask(market).revision_digest == revision  # the engine waits for the server
    assert runs(engine, revision)


@pytest.mark.parametrize("spoil", ["altered", "strange", "unsigned"])
def test_a_bundle_that_is_not_ours_is_refused_and_the_old_one_kept(engine, market, server, monkeypatch, spoil):
    before = active_program().revision
    spoiled = {"altered": _altered, "strange": _strange, "unsigned": _unsigned}[spoil]
    assert runs(engine, before)
    monkeypatch.setattr(views, "bundle_to_run", lambda *name, **key: spoiled(bundle_to_run(*name, **key)))
    revision = activate_another()
    wait_until(lambda: error_of(server) != "")
    assert runs(engine, before)
    assert not runs(engine, revision)
    monkeypatch.setattr(views, "bundle_to_run", bundle_to_run)
    wait_until(lambda: runs(engine, revision))
    wait_until(lambda: error_of(server) == "" and server.revision == revision)


def test_a_server_gets_bundles_by_the_key_it_was_given_until_that_ends(engine, market, ring, server):
    assert runs(engine, active_program().revision)
    ring.rotate(purpose=KeyPurpose.BUNDLE)
    revision = activate_another()
    assert ask(market).revision_digest == revision
    ring.revoke(key_id=server.key_id)
    wait_until(lambda: error_of(server) != "")


def test_without_the_server_everything_is_denied_in_time(engine, opa, market):
    opa.stop()
    begun = time.monotonic()
    decision = ask(market)
    assert (decision.effect, decision.reason_codes) == ("deny", ["engine_unavailable"])
    assert time.monotonic() - begun < PATIENCE_SECONDS


def test_a_server_that_hangs_denies_everything_in_time(engine, opa, market):
    assert ask(market).effect == "permit"
    os.kill(opa.process.pid, signal.SIGSTOP)
    begun = time.monotonic()
    with policy_engine.override(OpaEngine(url=opa.url, timeout=0.5)):
        decision = ask(market)
    os.kill(opa.process.pid, signal.SIGCONT)
    assert (decision.effect, decision.reason_codes) == ("deny", ["engine_unavailable"])
    assert time.monotonic() - begun < PATIENCE_SECONDS
    wait_until(lambda: ask(market).effect == "permit")


def test_logs_that_could_not_be_stored_come_again_and_are_stored_once(engine, market, monkeypatch):
    refused = []

    def refuse(**given):
        refused.append(given)
        raise OperationalError("the disk is full")

    monkeypatch.setattr(views, "store_logs", refuse)
    digests = {ask(market).facts_digest, ask(market).facts_digest}
    wait_until(lambda: len(refused) >= 2)
    assert not OpaDecisionLog.objects.filter(facts_sha256__in=digests).exists()
    monkeypatch.setattr(views, "store_logs", store_logs)
    wait_until(lambda: OpaDecisionLog.objects.filter(facts_sha256__in=digests).count() == 2)


def test_logs_reconcile_with_decision_records(engine, market, server):
    since = clock.now() - timedelta(minutes=1)
    made = [ask(market), ask(market, purpose=Purpose.RESEARCH), ask(market)]
    digests = {decision.facts_digest for decision in made}
    wait_until(lambda: OpaDecisionLog.objects.filter(facts_sha256__in=digests).count() == len(made))
    found = reconcile(since=since, until=clock.now() + timedelta(minutes=1))
    assert (found.agreeing, found.disagreeing, found.unlogged) == (3, 0, 0)
    assert market.creator.slug not in json.dumps([log.event for log in OpaDecisionLog.objects.all()])


def test_what_somebody_else_asks_the_server_is_named(engine, opa, market):
    since = clock.now() - timedelta(minutes=1)
    made = ask(market)
    document = {"input": {"facts_sha256": "e" * 64, "requests": [], "subject": {"id": market.partner.slug}}}
    url = f"{opa.url}/v1/data/{PDP_PATH}"
    assert engine._client()._session.post(url, json=document, timeout=PATIENCE_SECONDS).status_code == 200
    wait_until(lambda: OpaDecisionLog.objects.filter(facts_sha256__in=[made.facts_digest, "e" * 64]).count() == 2)
    found = reconcile(since=since, until=clock.now() + timedelta(minutes=1))
    [stranger] = name_past_assent(found.strangers)
    assert (stranger.path, stranger.subject) == (PDP_PATH, f"partner {market.partner.slug}")


def _altered(bundle: Bundle) -> Bundle:
    files = _files(bundle)
    files["assent/asset/infer.rego"] = files["assent/asset/infer.rego"].replace(b"deny contains", b"nope contains")
    return replace(bundle, data=bundles._archive(files))


def _strange(bundle: Bundle) -> Bundle:
    return replace(bundle, data=signed_bundle(program=active_program(), key_ring=development_ring()).data)


def _unsigned(bundle: Bundle) -> Bundle:
    files = {name: content for name, content in _files(bundle).items() if name != bundles.SIGNATURES}
    return replace(bundle, data=bundles._archive(files))


def _files(bundle: Bundle) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(bundle.data)) as archive:
        return {member.name.lstrip("/"): archive.extractfile(member).read() for member in archive}
