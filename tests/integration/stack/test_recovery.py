"""The whole stack with real processes: what is killed or restarted loses no job and releases nothing twice."""

import json
from base64 import b64decode

import pytest

from scripts.demo.client import PartnerApp
from scripts.stack.stack import Stack
from tests.predicates import faults_of
from tests.waiting import PATIENCE_SECONDS

SETTINGS = {"ASSENT_LEASE_SECONDS": "8", "ASSENT_SWEEP_SECONDS": "1", "ASSENT_REDISPATCH_SECONDS": "3"}
RUNNING = frozenset({"running"})


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with Stack(tmp_path_factory.mktemp("stack"), env=SETTINGS, seed=("seed_demo",)) as started:
        yield started


@pytest.fixture(scope="module")
def app(stack):
    access = json.loads((stack.data_dir / "data" / "access.json").read_text())
    client = PartnerApp(stack.web_url, access["client_id"], access["client_secret"])
    client.authenticate()
    yield client
    client.session.close()


def submit(app, title, key):
    works = {work["title"]: work["id"] for work in app.get("/assets", page_size="50")["results"]}
    return app.submit(works[title], purpose="commercial", key=key).json()["id"]


def steps(job):
    return [event["to"] for event in job["events"]]


@pytest.fixture(scope="module")
def job_of_a_killed_worker(stack, app):
    """Kill the worker in the middle of a job, start another one, and return how the job ended."""
    job_id = submit(app, "Contact sheet", "kill")
    app.wait(job_id, until=RUNNING, seconds=PATIENCE_SECONDS)
    stack.kill("worker")
    stack.start_process("worker")
    return app.wait(job_id, seconds=PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def job_of_a_lost_broker(stack, app, job_of_a_killed_worker):
    """Let the broker lose everything while a job waits, and return how the job ended."""
    stack.stop_process("worker")
    job_id = submit(app, "Portrait in orange", "broker")
    stack.kill("valkey")
    stack.start_process("valkey")
    stack.start_process("worker")
    return app.wait(job_id, seconds=PATIENCE_SECONDS)


def test_a_worker_killed_in_the_middle_of_a_job_costs_time_only(job_of_a_killed_worker):
    job = job_of_a_killed_worker
    assert job["state"] == "released"
    assert (steps(job).count("leased"), steps(job).count("released")) == (2, 1)


def test_a_broker_that_lost_everything_costs_time_only(job_of_a_lost_broker):
    job = job_of_a_lost_broker
    assert (job["state"], steps(job).count("released")) == ("released", 1)


@pytest.mark.usefixtures("job_of_a_killed_worker", "job_of_a_lost_broker")
def test_afterwards_everything_still_verifies(stack):
    report = json.loads(stack.manage("verify_evidence", "--json"))
    assert report["ok"] is True
    assert report["checked"]["ledger_entries"] > 0


@pytest.mark.usefixtures("job_of_a_killed_worker", "job_of_a_lost_broker")
def test_afterwards_nothing_is_missing(stack):
    report = json.loads(stack.manage("audit", "reconcile", "--json"))
    assert report["faults"] == []
    assert report["counts"]["outputs"] == report["counts"]["runs"] == 2
    assert report["counts"]["checkpoints"] > 0


@pytest.mark.usefixtures("job_of_a_killed_worker", "job_of_a_lost_broker")
def test_afterwards_every_receipt_fits_its_schema(app):
    jobs = app.get("/jobs")["results"]
    receipts = [app.get(f"/jobs/{job['id']}/receipt") for job in jobs]
    assert [faults_of(b64decode(receipt["envelope"]["payload"])) for receipt in receipts] == [[], []]


def test_all_of_it_was_done_by_a_role_that_could_not_have_removed_anything(stack, app):
    assert stack.manage("database", "check") == "assent_app owns nothing and can change no history.\n"
