"""No request of nobody, of a partner or of an OPA server makes an error of the server, and errors are problems."""

import base64
import json
from itertools import product
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.test import Client

from governance.audit.evidence.anchoring import anchor_pending
from governance.audit.log.sequencer import sequence_pending
from governance.opa.services import enrol
from tests.factories.marketplace import TESTER, finish
from tests.factories.opa_events import event, status
from tests.factories.partners import FORM, basic_auth, client_with_secret, raw_token
from tests.hostile import PLACES, TEXTS, Attacker, names_read, routes, thinned
from tests.hostile_bodies import BODIES, HEADERS, METHODS, spoiled

pytestmark = pytest.mark.django_db(transaction=True)

URLS = [route for route in routes() if not route.is_console]
JSON = "application/json"


@pytest.fixture
def unlimited(settings, market):
    """Return the market with a released job and no limit on requests."""
    settings.ASSENT_TOKEN_REQUESTS_PER_MINUTE = settings.ASSENT_TOKEN_FAILURES_PER_MINUTE = 1_000_000
    market.partner.tier.requests_per_minute = 1_000_000
    market.partner.tier.save()
    return market


@pytest.fixture
def own(unlimited) -> list[str]:
    """Return the ids of a job, a decision, a work and a model, by which paths are filled."""
    job = finish(unlimited.submit().job.id)
    anchor_pending()
    sequence_pending()
    return [str(job.id), str(job.admission_id), str(unlimited.asset.id), "espcn-x2"]


@pytest.fixture
def callers(unlimited, address) -> list[Attacker]:
    """Return nobody, the partner, the client with its secret, and an OPA server."""
    client, secret = client_with_secret(unlimited.partner)
    bearers = [f"Bearer {raw_token(unlimited.client)}", f"Bearer {enrol(name='edge-1', actor=TESTER)[1]}"]
    headers = [{}, *({"Authorization": bearer} for bearer in bearers), basic_auth(client.client_id, secret)]
    return [Attacker(Client(REMOTE_ADDR=address, headers=given)) for given in headers]


def filled(own: list[str]) -> list[str]:
    """Return every URL outside the console, with each id of our own where it takes one."""
    return sorted({route.template.format(**dict.fromkeys(route.converters, one)) for route in URLS for one in own})


def faults(callers: list[Attacker]) -> str:
    """Return what the callers were answered with an error of the server, one a line."""
    return "\n".join(caller.report() for caller in callers if caller.faults)


def test_no_address_and_no_method_is_a_fault(callers):
    urls = sorted({route.filled(place) for route in URLS for place in PLACES})
    nobody, *_ = callers
    for url, method in product(sorted({route.filled("x") for route in URLS}), METHODS):
        nobody.send(method, url)
    for caller, url, method in thinned(product(callers, urls, METHODS), 200):
        caller.send(method, url)
    assert not faults(callers), faults(callers)


def test_nothing_read_from_a_query_is_a_fault(callers, own):
    asked = []
    for caller, url in product(callers, filled(own)):
        with names_read() as names:
            caller.send("GET", url)
        asked += [(caller, url, name) for name in sorted({*names, "bogus"})]
    for (caller, url, name), text in thinned(product(asked, TEXTS.values()), 250):
        caller.send("GET", f"{url}?{name}={text}")
    assert not faults(callers), faults(callers)


def test_no_header_is_a_fault(callers, own):
    for caller, url, (name, text) in thinned(product(callers, filled(own), HEADERS), 300):
        caller.send("GET", url, headers={name: text})
        caller.send("POST", url, b"{}", content_type=JSON, headers={name: text})
    assert not faults(callers), faults(callers)


def test_no_body_is_a_fault(callers, own):
    for caller, url, (body, kind) in thinned(product(callers, filled(own), BODIES), 300):
        caller.send("POST", url, body, content_type=kind, headers={"Idempotency-Key": uuid4().hex})
    assert not faults(callers), faults(callers)


def test_no_value_in_a_body_is_a_fault(callers, unlimited):
    question = {
        "subject": {"type": "client", "id": unlimited.client.client_id, "properties": {"a": 1}},
        "action": {"name": "asset.infer"},
        "resource": {"type": "asset", "id": str(unlimited.asset.id)},
        "context": {"purpose": "commercial", "model": "espcn-x2"},
    }
    job = {"model": "espcn-x2", "version": "production", "task": "upscale", "purpose": "commercial",
           "inputs": [str(unlimited.asset.id)]}  # fmt: skip
    search = {**question, "page": {"token": base64.b64encode(b'{"after": 1}').decode(), "limit": 1}}
    _, partner, opa, _ = callers
    sent = [
        (partner, "/api/v1/jobs", job),
        (partner, "/access/v1/evaluation", question),
        (partner, "/access/v1/evaluations", {**question, "evaluations": [question], "options": {"a": 1}}),
        *((partner, f"/access/v1/search/{kind}", search) for kind in ("subject", "resource", "action")),
        (opa, "/opa/logs", [event(), event("d-2")]),
        (opa, "/opa/status", status(errors=[{"message": "x"}])),
    ]
    for caller, url, body in thinned(((*each[:2], body) for each in sent for body in spoiled(each[2])), 350):
        caller.send("POST", url, body, content_type=JSON, headers={"Idempotency-Key": uuid4().hex})
    assert not faults(callers), faults(callers)


def test_nothing_read_from_a_form_is_a_fault(callers, own):
    nobody, *_ = callers
    asked = []
    for url in [*filled(own), "/admin/login/", "/admin/logout/"]:
        with names_read() as names:
            nobody.send("POST", url, "a=b", content_type=FORM)
        asked.append((url, sorted(names)))
    for (url, names), text in thinned(product(asked, TEXTS.values()), 100):
        nobody.send("POST", url, "&".join(f"{quote(name)}={text}" for name in names), content_type=FORM)
    assert not faults(callers), faults(callers)


def test_no_token_of_a_page_is_a_fault(callers, own):
    _, partner, *_ = callers
    tokens = ["%00", "AA==", "_w==", "7aCA", *(base64.urlsafe_b64encode(t.encode()).decode() for t in TEXTS.values())]
    for token in tokens:
        partner.send("GET", f"/api/v1/jobs?cursor={token[:3000]}")
        question = {"subject": {"type": "client"}, "action": {"name": "asset.infer"}, "resource": {"type": "asset"}}
        page = json.dumps({**question, "context": {"purpose": "commercial"}, "page": {"token": token}})
        partner.send("POST", "/access/v1/search/resource", page, content_type=JSON)
    assert not faults(callers), faults(callers)


def test_no_form_for_a_token_is_a_fault(callers):
    *_, client = callers
    for name, text in thinned(product(("grant_type", "scope", "authorization_details", "client_id", "token", "resource",
                                       "client_assertion", "client_assertion_type"), TEXTS.values()), 60):  # fmt: skip
        for endpoint in ("token", "revoke", "introspect"):
            form = f"grant_type=client_credentials&{name}={text}"
            client.send("POST", f"/api/v1/oauth/{endpoint}", form, content_type=FORM)
    assert not faults(callers), faults(callers)


def test_no_receipt_is_a_fault(callers):
    nobody, *_ = callers
    receipts = spoiled(
        {"payload": "e30=", "payloadType": "a", "signatures": [{"keyid": "a", "sig": "AA=="}], "proof": "x"}
    )
    head = b'--x\r\nContent-Disposition: form-data; name="receipt"; filename="r.json"\r\n\r\n'
    for receipt in thinned(receipts, 100):
        nobody.send(
            "POST", "/verify", head + receipt + b"\r\n--x--\r\n", content_type="multipart/form-data; boundary=x"
        )
    assert not faults(callers), faults(callers)
