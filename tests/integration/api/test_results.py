"""Outputs and evidence over HTTP."""

import base64
import hashlib
import json

import pytest
from django.core.files.storage import storages

from governance.audit.evidence.anchoring import anchor_pending
from governance.jobs.models import Job
from governance.kernel.canonical import canonical_json, sha256_hex
from governance.kernel.vocabulary import Action
from governance.keys.dsse import Envelope, verify_envelope
from governance.keys.ring import KeyPurpose, key_ring
from tests.factories.marketplace import finish


@pytest.fixture
def released(submit) -> Job:
    return finish(submit().json()["id"])


def test_the_output_comes_with_its_digest(released, api):
    answer = api.get(f"/api/v1/jobs/{released.id}/output")
    digest = hashlib.sha256(answer.content)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["ETag"] == f'"{digest.hexdigest()}"'
    assert answer.headers["Repr-Digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{released.id}.png"'
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    described = api.get(f"/api/v1/jobs/{released.id}").json()["output"]
    assert (described["sha256"], described["size"]) == (digest.hexdigest(), len(answer.content))


@pytest.mark.parametrize(
    ("template", "status"),
    [('"{0}"', 304), ('W/"{0}"', 304), ('"x", "{0}"', 304), ("*", 304), ('"x"', 200), ("{0}", 200), ("", 200)],
)
def test_if_none_match_saves_the_download(released, api, template, status):
    headers = {"If-None-Match": template.format(released.output.sha256)}
    answer = api.get(f"/api/v1/jobs/{released.id}/output", headers=headers)
    assert answer.status_code == status
    assert answer.headers["ETag"] == f'"{released.output.sha256}"'
    assert bool(answer.content) == (status == 200)


def test_head_gives_the_headers_without_the_bytes(released, api):
    answer = api.head(f"/api/v1/jobs/{released.id}/output")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["ETag"] == f'"{released.output.sha256}"'


def test_an_output_that_was_altered_in_storage_is_not_handed_out(released, api, private_data):
    path = private_data / "objects" / released.output.object_name
    path.chmod(0o640)
    path.write_bytes(b"something else")
    answer = api.get(f"/api/v1/jobs/{released.id}/output")
    assert (answer.status_code, answer.json()["code"]) == (500, "object_altered")
    assert "details" not in answer.json()
    assert released.output.object_name not in answer.content.decode()


def test_an_output_that_is_missing_from_storage_is_a_server_error(released, api):
    storages["objects"].delete(released.output.object_name)
    answer = api.get(f"/api/v1/jobs/{released.id}/output")
    assert (answer.status_code, answer.json()["code"]) == (500, "object_missing")


@pytest.mark.parametrize("purpose", ["commercial", "research"])
def test_nothing_is_released_before_its_time(submit, api, purpose):
    body = submit(purpose=purpose).json()
    answer = api.get(f"/api/v1/jobs/{body.get('job_id') or body['id']}/output")
    assert (answer.status_code, answer.json()["code"]) == (409, "output_not_released")


@pytest.mark.parametrize(
    ("narrowed", "refusal"),
    [
        ({"actions": {Action.ASSET_INFER, Action.MODEL_INVOKE}}, (403, "insufficient_scope")),
        ({"models": frozenset({"sketch"})}, (404, "job_not_found")),
        ({"purposes": {"research"}}, (404, "job_not_found")),
    ],
    ids=["action", "model", "purpose"],
)
def test_an_output_takes_a_token_that_covers_it(submit, market, caller, narrowed, refusal):
    job_id = submit().json()["id"]
    answer = caller(market.client, **narrowed).get(f"/api/v1/jobs/{job_id}/output")
    assert (answer.status_code, answer.json()["code"]) == refusal


def test_the_evidence_of_a_denial_is_signed_and_anchored(submit, api):
    job_id = submit(purpose="research").json()["job_id"]
    waiting = api.get(f"/api/v1/jobs/{job_id}/evidence").json()
    assert (waiting["outcome"], waiting["worm_reference"]) == ("denied", None)
    anchor_pending()
    evidence = api.get(f"/api/v1/jobs/{job_id}/evidence").json()
    envelope = Envelope.from_json(json.dumps(evidence["envelope"]))
    payload = verify_envelope(
        key_ring=key_ring.get(),
        purpose=KeyPurpose.EVIDENCE,
        envelope=envelope,
        expected_payload_type="application/vnd.in-toto+json",
    )
    assert json.loads(payload)["predicateType"] == evidence["predicate_type"]
    assert sha256_hex(canonical_json(evidence["envelope"])) == evidence["envelope_sha256"]
    assert evidence["worm_reference"]["sha256"] == evidence["envelope_sha256"]
    assert set(evidence["worm_reference"]) == {
        "uri", "version_id", "sha256", "size", "mode", "retain_until", "stored_at",
    }  # fmt: skip


def test_a_job_that_goes_on_has_no_evidence_yet(submit, api):
    answer = api.get(f"/api/v1/jobs/{submit().json()['id']}/evidence")
    assert (answer.status_code, answer.json()["code"]) == (404, "evidence_not_ready")
