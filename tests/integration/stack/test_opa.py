"""The whole stack deciding on a real OPA server that it started: policy is pulled, nothing happens without it."""

import json

import pytest

from scripts.demo.client import PartnerApp
from scripts.stack.stack import Stack
from tests.waiting import PATIENCE_SECONDS, eventually


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    env = {"ASSENT_POLICY_ENGINE": "opa", "ASSENT_ENGINE_TIMEOUT_MS": "60000"}  # no slow machine denies
    with Stack(tmp_path_factory.mktemp("opa-stack"), env=env, seed=("seed_demo",)) as started:
        yield started


@pytest.fixture(scope="module")
def app(stack):
    access = json.loads((stack.data_dir / "data" / "access.json").read_text())
    client = PartnerApp(stack.web_url, access["client_id"], access["client_secret"])
    client.authenticate()
    yield client
    client.session.close()


def reconciled(stack):
    return json.loads(stack.manage("opa", "reconcile"))["reconcile"]


def submit(app, key):
    works = {work["title"]: work["id"] for work in app.get("/assets", page_size="50")["results"]}
    return app.submit(works["Contact sheet"], purpose="commercial", key=key)


@pytest.fixture(scope="module")
def permitted_job(app):
    """Return how a job ended that OPA permits."""
    return app.wait(submit(app, "permitted").json()["id"], seconds=PATIENCE_SECONDS)


def test_a_job_runs_on_what_opa_permits(permitted_job):
    assert permitted_job["state"] == "released"


@pytest.mark.usefixtures("permitted_job")
def test_what_opa_logged_agrees_with_what_is_on_record(stack):
    assert eventually(lambda: reconciled(stack)["unlogged"], 0) == 0
    found = reconciled(stack)
    assert found["agreeing"] >= 3
    assert found["disagreeing"] == 0


def test_the_credential_is_in_no_log(stack):
    config = json.loads((stack.data_dir / "opa" / "opa.json").read_text())
    token = config["services"]["assent"]["credentials"]["bearer"]["token"]
    assert not [log for log in stack.logs.iterdir() if token in log.read_text(errors="replace")]


def test_without_opa_everything_is_denied_until_it_is_back(stack, app):
    # A killed server loses what it has not uploaded yet, which would count as unlogged for the tests that follow.
    assert eventually(lambda: reconciled(stack)["unlogged"], 0) == 0
    stack.kill("opa")
    denied = submit(app, "down")
    assert denied.status_code == 403
    assert [reason["code"] for reason in denied.json()["reasons"]] == ["engine_unavailable"]
    stack.start_process("opa")
    assert app.wait(submit(app, "back").json()["id"], seconds=PATIENCE_SECONDS)["state"] == "released"
