"""The whole stack: how soon a new entry is under a checkpoint that everybody can fetch, and what hostile files cost."""

import json
import statistics
import time

import pytest
import requests

from benchmarks.hostile import run_at
from scripts.demo.client import PartnerApp
from scripts.stack.stack import Stack
from tests.effort import LONG
from tests.factories.hostile import short_corpus
from tests.waiting import PATIENCE_SECONDS

REST_SECONDS = 3
#: What a worker may take beyond what it holds at rest, for whatever is accepted.
MEGABYTES = 700
#: What is promised holds on a machine that has nothing else to do, as a long run should have.
PROMISED_SECONDS = 2 if LONG else PATIENCE_SECONDS


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with Stack(tmp_path_factory.mktemp("stack"), seed=("seed_demo",)) as started:
        yield started


@pytest.fixture(scope="module")
def app(stack):
    access = json.loads((stack.data_dir / "data" / "access.json").read_text())
    client = PartnerApp(stack.web_url, access["client_id"], access["client_secret"])
    yield client
    client.session.close()


def published_size(stack):
    answer = requests.get(f"{stack.web_url}/log/checkpoint", timeout=PATIENCE_SECONDS)
    return int(answer.text.splitlines()[1]) if answer.ok else 0


def wait_for(condition, *, since, pause):
    while not condition() and time.monotonic() < since + PATIENCE_SECONDS:
        time.sleep(pause)
    return time.monotonic() - since


def at_rest(stack):
    """Wait until nothing has been published for a while; return the size."""
    before = -1
    while before != (before := published_size(stack)):
        time.sleep(REST_SECONDS)
    return before


def test_at_rest_an_entry_is_published_within_two_seconds(stack, app):
    took = []
    for _ in range(5):
        size = at_rest(stack)
        app.authenticate()  # the issue of a token is an entry
        took.append(wait_for(lambda before=size: published_size(stack) > before, since=time.monotonic(), pause=0.05))
    assert statistics.median(took) < PROMISED_SECONDS


def test_the_log_goes_on_after_its_worker_was_killed(stack, app):
    size = at_rest(stack)
    stack.kill("control")
    app.authenticate()
    stack.start_process("control")

    wait_for(lambda: published_size(stack) > size, since=time.monotonic(), pause=0.2)

    assert published_size(stack) > size
    told = json.loads(stack.manage("audit", "status", "--json"))
    assert (told["alarm"], told["waiting"]) == (None, 0)


def test_hostile_files_cost_no_error_no_job_and_little_memory(stack):
    """`make bench-hostile` runs ten times as many."""
    report = run_at(stack, short_corpus())
    ends = {each.name: each.end or each.code for each in report.outcomes}
    figures = report.figures()
    assert (figures["server_errors"], figures["lost_jobs"], figures["false_denials"]) == (0, 0, 0)
    assert figures["peak_worker_mb"] - figures["idle_worker_mb"] < MEGABYTES
    assert {ends["gain map"], ends["CMYK"], ends["2 bits, transparent"], ends["orientation 6"]} == {"released"}
    assert (ends["JPEG, 20000 empty comments"], ends["RGB 8 × 2000"]) == ("image_too_complex", "image_too_narrow")
