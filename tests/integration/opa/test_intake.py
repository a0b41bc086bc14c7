"""Each event of an upload is judged by itself, and what is refused is counted."""

import gzip
import json
import time

import pytest
from django.db import DataError
from django.test import Client

from governance.opa import intake
from governance.opa.choices import Refusal
from governance.opa.models import OpaDecisionLog, OpaRefusal
from tests.factories.opa_events import event

GOOD = json.dumps(event("good"))


@pytest.fixture
def upload(bearer):
    def send(body: bytes, *, packed: bool = False):
        headers = {"Content-Encoding": "gzip"} if packed else {}
        sent = gzip.compress(body, 1) if packed else body
        return Client(headers=bearer).post("/opa/logs", sent, content_type="application/json", headers=headers)

    return send


def without(name: str) -> str:
    return json.dumps({key: value for key, value in event("bad").items() if key != name})


def written(**changes: str) -> str:
    """Return an event as text, with members written as they are given."""
    members = {name: json.dumps(value) for name, value in event("bad").items()} | changes
    return "{" + ",".join(f'"{name}":{value}' for name, value in members.items()) + "}"


BAD = [
    (written(decision_id="7"), Refusal.NO_ID),
    (written(decision_id='""'), Refusal.NO_ID),
    (written(decision_id='"a\\u0000"'), Refusal.NO_ID),
    (written(decision_id=json.dumps("x" * 101)), Refusal.NO_ID),
    (without("decision_id"), Refusal.NO_ID),
    ("{}", Refusal.NO_ID),
    (written(timestamp='"yesterday"'), Refusal.NO_TIME),
    (written(timestamp="1764000000"), Refusal.NO_TIME),
    (written(timestamp='"2026-11-20"'), Refusal.NO_TIME),
    (written(timestamp='"2026-11-20T12:00:00"'), Refusal.NO_TIME),
    (written(timestamp='"2026-11-31T12:00:00Z"'), Refusal.NO_TIME),
    (written(timestamp='"2026-11-20T12:00:61Z"'), Refusal.NO_TIME),
    (written(timestamp='"2026-11-20T12:00:00+24:00"'), Refusal.NO_TIME),
    (written(timestamp='"0000-01-01T00:00:00Z"'), Refusal.NO_TIME),
    (written(timestamp='"99999-01-01T00:00:00Z"'), Refusal.NO_TIME),
    (written(timestamp='"0001-01-01T00:00:00+14:00"'), Refusal.NO_TIME),
    (written(timestamp='"9999-12-31T23:59:59-14:00"'), Refusal.NO_TIME),
    (without("timestamp"), Refusal.NO_TIME),
    (written(path="[]"), Refusal.WRONG_TYPE),
    (written(query="{}"), Refusal.WRONG_TYPE),
    (written(labels='"x"'), Refusal.WRONG_TYPE),
    ("null", Refusal.NOT_AN_EVENT),
    ("[1]", Refusal.NOT_AN_EVENT),
    ('"text"', Refusal.NOT_AN_EVENT),
    (written(input="NaN"), Refusal.NOT_STRICT),
    (written(result='{"a": -Infinity}'), Refusal.NOT_STRICT),
    (written(result="1e400"), Refusal.NOT_STRICT),
    (written(req_id="9" * 5000), Refusal.NOT_STRICT),
    (written(x='"\\ud800"'), Refusal.NOT_STRICT),
    (written(x='{"\\udfff": 1}'), Refusal.NOT_STRICT),
    (written(x='{"a": 1, "a": 2}'), Refusal.NOT_STRICT),
    (written(x="[" * 70 + "]" * 70), Refusal.NOT_STRICT),
    (written(x="[" * 100_000 + "]" * 100_000), Refusal.NOT_STRICT),
    (written(x='{"a":' * 100_000 + "1" + "}" * 100_000), Refusal.NOT_STRICT),
    (written(x=json.dumps("x" * 300_000)), Refusal.TOO_LARGE),
]


@pytest.mark.parametrize(("bad", "reason"), BAD)
def test_one_bad_event_stops_no_other(upload, server, bad, reason):
    answer = upload(f"[{bad},{GOOD}]".encode())

    told = answer.json()
    assert (answer.status_code, told["received"], told["new"], told["refused"]) == (200, 2, 1, {reason.value: 1})
    assert [(each["index"], each["reason"]) for each in told["examples"]] == [(0, reason.value)]
    assert OpaDecisionLog.objects.get().decision_id == "good"
    assert [(row.reason, row.count) for row in OpaRefusal.objects.all()] == [(reason, 1)]


@pytest.mark.parametrize(
    "odd",
    [
        written(timestamp='"2016-12-31T23:59:60Z"'),
        written(timestamp='"2026-11-20t12:00:00.123456789+05:30"'),
        written(timestamp='"0001-01-01T00:00:00Z"'),
        written(input="[]", result="true", labels="{}", path='""'),
        written(path=json.dumps("y" * 500), result='{"revision": 1, "answers": {"a": "\\u0000"}}'),
        written(x='"a\\u0000"', y='{"\\u0000": 1}', req_id="1" + "0" * 300),
        written(result='{"answers": ["\\u0000", {"effect": "\\u0000"}]}'),
    ],
)
def test_an_odd_event_is_taken(upload, server, odd):
    assert upload(f"[{odd},{GOOD}]".encode()).json()["new"] == 2


def test_refusals_are_counted_by_day_and_reason(upload, server):
    upload(b"[{},{},null]")
    upload(b"[{}]")
    counted = {row.reason: row.count for row in server.refusals.all()}
    assert counted == {Refusal.NO_ID: 3, Refusal.NOT_AN_EVENT: 1}


def test_the_answer_names_only_some(upload, server):
    told = upload(json.dumps([{}] * 50).encode()).json()
    assert (told["refused"], len(told["examples"])) == ({"no_decision_id": 50}, intake.EXAMPLES)


def test_what_lies_past_the_limit_of_events_is_counted(upload, server, settings):
    settings.ASSENT_OPA_BATCH_EVENTS = 2
    told = upload(json.dumps([event(f"d-{number}") for number in range(5)]).encode()).json()
    assert (told["received"], told["new"], told["refused"]) == (5, 2, {"past_limit": 3})


@pytest.mark.parametrize("more", [b" " * 1_000_000 + b"]", b',"' + b"x" * 1_000_000 + b'"]', b"," + b"[" * 1_000_000])
def test_of_a_bomb_what_lies_within_the_limit_is_taken(upload, server, settings, more):
    settings.ASSENT_OPA_UPLOAD_BYTES = 10_000
    answer = upload(f"[{GOOD}".encode() + more, packed=True)
    assert (answer.status_code, answer.json()["new"], answer.json()["refused"]) == (200, 1, {"past_limit": 1})


def test_what_only_the_database_refuses_stops_no_other(upload, server, monkeypatch):
    store = OpaDecisionLog.objects.bulk_create

    def refuse(rows, **options):
        if any(row.decision_id == "d-3" for row in rows):
            raise DataError("out of range")
        return store(rows, **options)

    monkeypatch.setattr(OpaDecisionLog.objects, "bulk_create", refuse)
    told = upload(json.dumps([event(f"d-{number}") for number in range(8)]).encode()).json()
    assert (told["new"], told["refused"]) == (7, {"unstorable": 1})


@pytest.mark.parametrize("items", [b"{}", b"null", b'{"a":1,"a":1}'])
def test_many_empty_events_cost_little(upload, server, items):
    body = b"[" + b",".join([items] * 300_000) + b"]"
    begun = time.process_time()
    answer = upload(body, packed=True)
    assert (answer.status_code, answer.json()["new"]) == (200, 0)
    assert time.process_time() - begun < 3
