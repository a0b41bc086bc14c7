"""Decision logs against decision records."""

from datetime import datetime, timedelta

import pytest

from governance.decisions.cache import DecisionCache
from governance.decisions.choices import DecisionKind
from governance.decisions.facts import run_questions
from governance.decisions.ports import decision_cache
from governance.decisions.services import decide
from governance.decisions.types import AccessContext
from governance.engines.opa_modules import PDP_PATH
from governance.engines.ports import policy_engine
from governance.engines.rego import RegoEngine
from governance.kernel import clock
from governance.kernel.ids import new_id, new_token
from governance.kernel.vocabulary import Purpose
from governance.opa.intake import store_logs
from governance.opa.marks import new_mark
from governance.opa.models import UNNUMBERED, OpaDecisionLog
from governance.opa.reconciling import PastAssent, Reconciliation, name_past_assent, reconcile
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


def asked(facts: str) -> dict[str, str]:
    """Return the input of a question that Assent asks."""
    return {"facts_sha256": facts, "asked": new_mark(facts)}


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
        input=asked(changes.get("facts", decision.facts_digest)),
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


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ({"path": "assent/asset_infer/decision", "input": {"subject": {"id": "lumen"}}}, "assent/asset_infer/decision"),
        ({"path": "", "query": 'data.assent.x with input as {"email": "ada@example.com"}'}, "query of data.assent.x"),
        ({"query": "1 + 1", "path": None}, "query of no data"),
        ({"input": {}}, PDP_PATH),
        ({"input": {"facts_sha256": "e" * 64}}, PDP_PATH),
        ({"input": {"facts_sha256": "e" * 64, "asked": new_token(16) + "." + "0" * 64}}, PDP_PATH),
        ({"input": asked("d" * 64) | {"facts_sha256": "e" * 64}}, PDP_PATH),
        ({"input": {"facts_sha256": "not a digest"}}, PDP_PATH),
    ],
)
def test_what_somebody_else_asked_is_named(decision, server, question, path):
    store_logs(server=server, events=[logged(decision), event("d-2", **question)])

    result = found()

    [named] = name_past_assent(result.strangers)
    assert (result.agreeing, result.past_assent, result.unrecorded, result.unlogged) == (1, 1, 0, 0)
    assert (named.decision_id, named.server, named.path) == ("d-2", "edge-1", path)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"subject": "lumen"}, "partner lumen"),
        ({"subject": {"type": "user", "id": "ada@example.com"}}, ""),
        ({"subject": {"type": "user", "id": "ada-lovelace"}}, "other"),
        ({"facts": {"subject": {"partner": "lumen"}}}, "partner lumen"),
        ({"subject": ["lumen"]}, ""),
        ([], ""),
    ],
)
def test_a_subject_is_named_where_it_is_ours(decision, server, given, named):
    store_logs(server=server, events=[event("d-2", path="assent/x", input=given)])
    [stranger] = name_past_assent(found().strangers)
    assert stranger.subject == named


def test_nothing_of_what_somebody_else_asked_is_kept(decision, server):
    secret = "ada@example.com"
    leaking = {"input": {"subject": {"id": secret}}, "result": secret, "query": f'data.x == "{secret}"'}
    more = {"nd_builtin_cache": {"http.send": secret}, "intermediate_results": {"x": secret}}
    store_logs(server=server, events=[event("d-2", path="assent/x", **leaking, **more)])
    assert secret not in str(OpaDecisionLog.objects.values().get())


def test_a_copy_of_our_question_is_named(decision, server):
    ours = logged(decision)
    copied = ours | {"decision_id": "d-2", "result": {"revision": decision.revision_digest, "answers": []}}
    without_mark = logged(decision, "d-3") | {"input": {"facts_sha256": decision.facts_digest}}
    store_logs(server=server, events=[ours, copied, without_mark])
    result = found()
    assert (result.agreeing, result.disagreeing) == (1, 0)
    assert [each.decision_id for each in name_past_assent(result.strangers)] == ["d-2", "d-3"]


def test_questions_that_are_no_decisions_are_ours(decision, server):
    store_logs(server=server, events=[logged(decision), event("health", input=asked(""))])
    assert found() == Reconciliation(1, 0, 0, 1, 0)


def test_logs_from_before_questions_had_numbers_name_nobody(decision, server):
    OpaDecisionLog.objects.create(
        server=server, decision_id="old", path=PDP_PATH, facts_sha256="e" * 64, question=UNNUMBERED, event={}
    )
    assert found() == Reconciliation(0, 0, 0, 1, unlogged=1)


@pytest.mark.parametrize("timestamp", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_false_time_hides_no_question(decision, server, timestamp):
    store_logs(server=server, events=[event("d-2", path="assent/x", timestamp=timestamp)])
    [stranger] = name_past_assent(found().strangers)
    assert stranger == PastAssent("d-2", "edge-1", datetime.fromisoformat(timestamp), "assent/x", "")
