"""Receipts over HTTP: of jobs, decisions and uploads, first with a promise and then with a proof."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from governance.audit.log.checkpoints import advance_log
from governance.audit.log.sequencer import sequence_pending
from governance.audit.log.trust import trust_file
from governance.audit.models import Receipt
from governance.audit.ports import worm_store
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.catalog.objects import read_verified
from governance.jobs.models import JobOutput
from governance.transparency.verifier import Status, verify
from tests.factories.images import image_bytes
from tests.factories.marketplace import finish
from tests.history import guards_lifted

pytestmark = pytest.mark.django_db
UPLOAD = image_bytes(seed=7)


@pytest.fixture(autouse=True)
def store(tmp_path):
    """Give each test its own WORM storage: the log compares the database with the checkpoints in there."""
    with worm_store.override(FilesystemWormStore(tmp_path / "worm")) as store:
        yield store


@pytest.fixture
def uploaded(api) -> str:
    """Upload a work as the partner; return its id."""
    form = {"creator": "ada", "title": "A work", "file": SimpleUploadedFile("x.png", UPLOAD)}
    return api.post("/api/v1/assets", form).json()["id"]


@pytest.fixture
def released(submit, uploaded):
    """Return a released job on the work."""
    return finish(submit(inputs=[uploaded]).json()["id"])


def test_a_released_output_is_proven_offline(released, api):
    advance_log()

    answer = api.get(f"/api/v1/jobs/{released.id}/receipt")

    output = JobOutput.objects.get(job=released)
    data = read_verified(output.object_name, output.sha256)
    assert answer.status_code == 200
    assert "Retry-After" not in answer.headers
    assert answer.headers["Content-Disposition"] == f'attachment; filename="job-{released.id}.receipt.json"'
    assert verify(answer.content, data, trust_file()).status is Status.VALID
    assert verify(answer.content, data + b"!", trust_file()).failed.name == "artifact"


def test_a_decision_is_proven_offline(released, api):
    advance_log()

    answer = api.get(f"/api/v1/decisions/{released.admission_id}/receipt")

    verdict = verify(answer.content, None, trust_file())
    assert verdict.status is Status.VALID
    assert f"about decision {released.admission_id}" in verdict.established[0]


def test_an_upload_is_proven_offline(uploaded, api):
    advance_log()

    answer = api.get(f"/api/v1/assets/{uploaded}/receipt")

    assert verify(answer.content, UPLOAD, trust_file()).status is Status.VALID


@pytest.mark.parametrize("place", [lambda: None, sequence_pending], ids=["waiting", "placed"])
def test_before_the_proof_there_is_a_signed_promise(uploaded, api, place):
    place()

    answer = api.get(f"/api/v1/assets/{uploaded}/receipt")

    receipt = answer.json()
    assert (answer.status_code, answer.headers["Retry-After"], answer.headers["Cache-Control"]) == (
        200,
        "2",
        "no-store",
    )
    assert (receipt["format"], receipt["proof"]) == ("assent-receipt/1", None)
    assert receipt["included_by"].endswith("Z")
    verdict = verify(answer.content, UPLOAD, trust_file())
    assert (verdict.status, verdict.failed) == (Status.UNUSABLE, None)


def test_a_job_that_goes_on_has_no_receipt_yet(submit, api):
    answer = api.get(f"/api/v1/jobs/{submit().json()['id']}/receipt")

    assert (answer.status_code, answer.json()["code"]) == (404, "evidence_not_ready")


def test_a_work_of_the_catalogue_has_no_receipt_for_a_partner(market, api):
    answer = api.get(f"/api/v1/assets/{market.asset.id}/receipt")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_what_is_older_than_receipts_says_so(uploaded, api):
    with guards_lifted():
        Receipt.objects.all().delete()

    answer = api.get(f"/api/v1/assets/{uploaded}/receipt")

    assert (answer.status_code, answer.json()["code"]) == (404, "receipt_missing")
    assert "before receipts were issued" in json.loads(answer.content)["detail"]
