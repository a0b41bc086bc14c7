"""Decision logs against decision records."""

from datetime import timedelta

import pytest

from governance.decisions.cache import DecisionCache
from governance.decisions.choices import DecisionKind
from governance.decisions.facts import run_questions
from governance.decisions.ports import decision_cache
from governance.decisions.services import decide
from governance.decisions.types import AccessContext
from governance.engines.ports import policy_engine
from governance.engines.rego import RegoEngine
from governance.kernel import clock
from governance.kernel.ids import new_id
from governance.kernel.vocabulary import Purpose
from governance.opa.queries import Reconciliation, reconcile
from governance.opa.services import store_logs
from tests.factories.marketplace import TESTER, make_marketplace
from tests.factories.opa_events import event


class NamedOpa(RegoEngine):
    """Stands in for an OPA server."""

    name = "opa"


@pytest.fixture
def decision(db, server, monkeypatch):
    monkeypatch.setattr("celery.current_app.send_task", lambda *args, **options: None)
    market = make_marketplace()
    context = AccessContext(
        partner=market.partner,
        client_id=market.client.client_id,
        token=market.grant.coverage,
        purpose=Purpose.COMMERCIAL,
        at=clock.now(),
    )
    asked = run_questions(context=context, version=market.version, assets=[market.asset])
    with policy_engine.override(NamedOpa()), decision_cache.override(DecisionCache(entries=0)):
        return decide(kind=DecisionKind.ADMISSION, job_id=new_id(), context=context, asked=asked, actor=TESTER)


def logged(decision, decision_id="d-1", **changes):
    """Return the event that the server logs about a decision, with some of it changed."""
    answers = [
        {
            "effect": each["effect"],
            "permits": each["matched_rules"]["permit"],
            "denies": each["matched_rules"]["deny"],
        }
        for each in decision.evaluations
    ]
    result = {"revision": decision.revision_digest, "answers": answers}
    return event(
        decision_id,
        input={"facts_sha256": changes.get("facts", decision.facts_digest)},
        result=result | changes.get("result", {}),
        timestamp=decision.decided_at.isoformat(),
    )


def found() -> Reconciliation:
    now = clock.now()
    return reconcile(since=now - timedelta(minutes=5), until=now + timedelta(minutes=5))


def test_a_decision_without_a_log_is_counted(decision):
    assert found() == Reconciliation(0, 0, 0, 0, unlogged=1)


def test_a_log_that_agrees(decision, server):
    store_logs(server=server, events=[logged(decision)])
    assert found() == Reconciliation(1, 0, 0, 0, 0)


@pytest.mark.parametrize(
    "answers",
    [
        [],
        [{"effect": "permit", "permits": ["another"], "denies": []}] * 2,
        [{"effect": "deny", "permits": [], "denies": ["x"]}] * 2,
        ["permit", "permit"],
        [{"effect": 1, "permits": None, "denies": [1, "a"]}] * 2,
    ],
)
def test_a_log_that_says_otherwise_is_a_suspect(decision, server, answers):
    store_logs(server=server, events=[logged(decision, result={"answers": answers})])
    assert found() == Reconciliation(0, 1, 0, 0, 0, suspects=("d-1",))


def test_an_answer_that_was_asked_for_again(decision, server):
    store_logs(server=server, events=[logged(decision, "d-0", result={"revision": "0" * 64}), logged(decision)])
    assert found() == Reconciliation(1, 0, 1, 0, 0)


def test_a_log_of_a_change_that_was_rolled_back(decision, server):
    store_logs(server=server, events=[logged(decision), logged(decision, "d-2", facts="e" * 64)])
    assert found() == Reconciliation(1, 0, 0, 1, 0)
