"""What OPA servers talk to."""

import gzip
import json
import threading
import time

import pytest
from django.test import Client
from django.urls import reverse

from governance.api.opa import views
from governance.opa.choices import Refusal
from governance.opa.models import OpaDecisionLog, OpaServer, OpaStatus
from governance.opa.services import renew_credential, revoke
from governance.rulebook.activation import publish_without_review
from governance.rulebook.bundles import MEDIA_TYPE
from tests.factories.marketplace import TESTER
from tests.factories.opa_events import REVISION, event, status

BUNDLE = "/opa/bundles/assent"


@pytest.fixture
def revision(db):
    return publish_without_review(actor=TESTER, note="tests")


@pytest.fixture
def opa(bearer) -> Client:
    return Client(headers=bearer)


def upload(client: Client, address: str, content: object, *, packed: bool = True):
    body = json.dumps(content).encode()
    given = {"Content-Encoding": "gzip"} if packed else {}
    return client.post(address, gzip.compress(body) if packed else body, content_type="application/json", headers=given)


def test_a_server_gets_the_active_revision(opa, revision):
    answer = opa.get(BUNDLE)
    assert answer.status_code == 200
    assert answer["Content-Type"] == MEDIA_TYPE
    assert revision.digest in answer["ETag"]
    assert opa.get(BUNDLE).content == answer.content


def test_a_server_that_has_the_bundle_gets_304(opa, revision):
    tag = opa.get(BUNDLE)["ETag"]
    answer = opa.get(BUNDLE, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer["ETag"] == tag


def test_a_patient_server_waits(opa, revision, settings):
    settings.ASSENT_OPA_WAIT_SECONDS = 1
    tag = opa.get(BUNDLE)["ETag"]
    begun = time.monotonic()
    answer = opa.get(BUNDLE, headers={"If-None-Match": tag, "Prefer": "modes=snapshot,delta;wait=20"})
    assert answer.status_code == 304
    assert 0.9 < time.monotonic() - begun < 20


def test_when_too_many_wait_a_server_gets_the_bundle_and_no_promise_of_waiting(opa, revision, monkeypatch):
    taken = threading.BoundedSemaphore(1)
    taken.acquire()
    monkeypatch.setattr(views.BundleView, "_waiting", taken)
    tag = opa.get(BUNDLE)["ETag"]
    answer = opa.get(BUNDLE, headers={"If-None-Match": tag, "Prefer": "wait=20"})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/gzip"


def test_without_an_active_revision_there_is_no_bundle(opa):
    assert opa.get(BUNDLE).status_code == 503


def test_another_bundle_is_not_there(opa, revision):
    assert opa.get("/opa/bundles/other").json()["code"] == "bundle_unknown"


@pytest.mark.parametrize("address", [BUNDLE, "/opa/logs", "/opa/status"])
@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer no"}, {"Authorization": "Basic eDp5"}])
def test_a_request_without_a_credential_is_refused(client, enrolled, address, header):
    method = client.get if address == BUNDLE else client.post
    answer = method(address, headers=header)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_renewed_credential_ends_the_one_before(opa, server, revision):
    token = renew_credential(server=server, actor=TESTER)
    assert opa.get(BUNDLE).status_code == 401
    assert Client(headers={"Authorization": f"Bearer {token}"}).get(BUNDLE).status_code == 200


def test_a_revoked_server_is_a_stranger(opa, server, revision):
    revoke(server=server, actor=TESTER)
    assert opa.get(BUNDLE).status_code == 401


def test_logs_are_stored_once_however_often_they_come(opa, server):
    first = upload(opa, "/opa/logs", [event("d-1"), event("d-2"), event("d-2")])
    again = upload(opa, "/opa/logs", [event("d-2"), event("d-3")])
    nothing = {"refused": {}, "examples": []}
    assert first.json() == {"received": 3, "new": 2, "known": 1, **nothing}
    assert again.json() == {"received": 2, "new": 1, "known": 1, **nothing}
    assert sorted(OpaDecisionLog.objects.values_list("decision_id", flat=True)) == ["d-1", "d-2", "d-3"]
    log = OpaDecisionLog.objects.get(decision_id="d-1")
    assert (log.server, log.revision, log.facts_sha256) == (server, REVISION, "f" * 64)
    assert log.answers[0]["effect"] == "permit"


def test_what_one_server_logs_hides_nothing_of_another(opa, server):
    OpaDecisionLog.objects.create(
        server=OpaServer.objects.create(name="other", token_sha256="0" * 64), decision_id="d-1", event={}
    )
    assert upload(opa, "/opa/logs", [event("d-1")]).json()["new"] == 1


def test_facts_that_a_server_forgot_to_mask_are_not_stored(opa, server):
    given = {"facts_sha256": "f" * 64, "requests": [{"facts": {"asset": {"creator": "ada-the-secret"}}}]}
    upload(opa, "/opa/logs", [event(input=given)])
    assert "ada-the-secret" not in json.dumps(OpaDecisionLog.objects.get().event)


def test_logs_without_packing_are_taken_too(opa, server):
    assert upload(opa, "/opa/logs", [event()], packed=False).status_code == 200


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"not gzip", "gzip"),
        (gzip.compress(b"[]")[:-6], "gzip"),
        (gzip.compress(b"{}"), "gzip"),
        (gzip.compress(b"[]") + gzip.compress(b"[1]"), "gzip"),
        (b"[", ""),
        (b"[{}", ""),
        (b"[{},]", ""),
        (b"[] []", ""),
        (b"\xff", ""),
        (b"[" * 100_000, ""),
        (b"[]", "br"),
    ],
)
def test_what_cannot_be_read_is_refused_and_not_acknowledged(opa, server, body, encoding):
    given = {"Content-Encoding": encoding} if encoding else {}
    answer = opa.post("/opa/logs", body, content_type="application/json", headers=given)
    assert (answer.status_code, answer.json()["code"]) == (400, "opa_upload_malformed")
    assert [(row.reason, row.count) for row in server.refusals.all()] == [(Refusal.UPLOAD, 1)]


def test_a_status_that_is_a_bomb_is_not_unpacked(opa, server, settings):
    settings.ASSENT_OPA_UPLOAD_BYTES = 1000
    answer = opa.post(
        "/opa/status",
        gzip.compress(b"[" + b" " * 100_000 + b"]"),
        headers={"Content-Encoding": "gzip"},
        content_type="application/json",
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "opa_upload_too_large")


def test_what_is_too_large_unpacked_is_not_read(opa, server, settings):
    settings.ASSENT_OPA_UPLOAD_BYTES = 1000
    answer = opa.post("/opa/logs", b"[" + b" " * 1000 + b"]", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (413, "opa_upload_too_large")


def test_logs_that_cannot_be_stored_are_not_acknowledged(opa, server, monkeypatch):
    opa.raise_request_exception = False
    monkeypatch.setattr(views, "store_logs", lambda **given: 1 / 0)
    assert upload(opa, "/opa/logs", [event()]).status_code == 500


def test_a_status_says_what_a_server_runs(opa, server):
    assert upload(opa, "/opa/status", status(), packed=False).status_code == 200
    server.refresh_from_db()
    assert (server.revision, server.version, server.error) == (REVISION, "1.4.2", "")
    assert server.last_seen_at is not None


def test_only_news_become_rows(opa, server):
    for report in (status(), status(), status(message="boom", errors=[{"message": "why"}]), status()):
        upload(opa, "/opa/status", report)
    assert [row.error for row in OpaStatus.objects.order_by("id")] == ["", "boom; why", ""]


def test_a_status_must_be_an_object(opa, server):
    assert upload(opa, "/opa/status", []).status_code == 400


def test_nothing_of_this_is_in_the_partners_document(client):
    assert not [path for path in client.get(reverse("api-schema")).json()["paths"] if path.startswith("/opa")]
