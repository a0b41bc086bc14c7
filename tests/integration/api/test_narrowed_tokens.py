"""A narrowed token finds and touches nothing outside its models, datasets, purposes and actions, in its partner too.

Every operation that takes a token is found by reading the OpenAPI document.
"""

from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from governance.api.needs import OF_JOBS
from governance.catalog.models import Asset
from governance.jobs.models import Job
from governance.kernel.vocabulary import TOKEN_ACTIONS, UPLOAD, Action
from tests.factories.catalog import DatasetFactory
from tests.factories.images import image_bytes
from tests.factories.marketplace import finish
from tests.factories.partners import client_with_secret
from tests.integration.api.test_isolation import BY_ID, LISTS, QUERIES_BY_ID, send, told, url_of

#: Tokens that do not cover the job, its admission or the work of the fixture `own`.
NARROWED = {
    "another model": {"models": frozenset({"sketch"})},
    "another dataset": {"datasets": frozenset({"zoo"})},
    "another purpose": {"purposes": frozenset({"research"})},
}
#: What a purpose or a model leaves visible: works have no purpose, and no model.
WORKS = ("/api/v1/assets/{id}", "/api/v1/assets/{id}/receipt")


@pytest.fixture
def own(api, submit, market) -> dict[str, str]:
    """Return an upload in the dataset `prints`, a job that read it, and the job's admission."""
    DatasetFactory.create(slug="zoo")
    DatasetFactory.create(slug="prints")
    file = SimpleUploadedFile("x.png", image_bytes(seed=3))
    form = {"creator": "ada", "title": "Secret title", "dataset": "prints", "file": file}
    asset_id = api.post("/api/v1/assets", form).json()["id"]
    job = finish(submit(inputs=[asset_id]).json()["id"])
    return {"assets": asset_id, "jobs": str(job.id), "decisions": str(job.admission_id)}


def covered(path: str, narrowed: str) -> bool:
    return path in WORKS and narrowed != "another dataset"


CASES = [(method, path, name) for method, path in BY_ID for name in NARROWED if not covered(path, name)]


@pytest.mark.parametrize(("method", "path", "narrowed"), CASES)
def test_what_a_token_does_not_cover_is_as_unknown_as_what_does_not_exist(own, market, caller, method, path, narrowed):
    narrow = caller(market.client, **NARROWED[narrowed])
    before = list(Job.objects.values()), list(Asset.objects.values())

    refused = send(narrow, method, url_of(path, own))
    absent = send(narrow, method, url_of(path, dict.fromkeys(own, str(uuid4()))))

    assert (refused.status_code, absent.status_code) == (404, 404)
    assert told(refused) == told(absent)
    assert (list(Job.objects.values()), list(Asset.objects.values())) == before


@pytest.mark.parametrize("narrowed", [*NARROWED])
@pytest.mark.parametrize("path", [path for path in LISTS if not path.endswith(("/assets", "/models"))])
def test_lists_show_nothing_that_a_token_does_not_cover(own, market, caller, path, narrowed):
    assert caller(market.client, **NARROWED[narrowed]).get(path).json()["results"] == []


def test_lists_of_works_and_models_show_what_a_token_covers(own, market, caller):
    narrow = caller(market.client, datasets=frozenset({"prints"}), models=frozenset({"sketch"}))

    assert [work["id"] for work in narrow.get("/api/v1/assets").json()["results"]] == [own["assets"]]
    permitted = {"permitted_for": "asset.infer", "purpose": "commercial", "model": "espcn-x2"}
    assert narrow.get("/api/v1/assets", permitted).json()["code"] == "query_invalid"
    assert narrow.get("/api/v1/models").json()["results"] == []


def test_permitted_sets_stay_within_the_datasets(own, market, caller):
    narrow = caller(market.client, datasets=frozenset({"zoo"}))
    permitted = {"permitted_for": "asset.infer", "purpose": "commercial", "model": "espcn-x2"}

    assert narrow.get("/api/v1/assets", permitted).json()["results"] == []


@pytest.mark.parametrize("narrowed", [*NARROWED])
@pytest.mark.parametrize(("path", "parameter"), QUERIES_BY_ID)
def test_asking_by_id_finds_nothing_that_a_token_does_not_cover(own, market, caller, path, parameter, narrowed):
    narrow = caller(market.client, **NARROWED[narrowed])

    assert narrow.get(path, {parameter: own["jobs"]}).json()["results"] == []


@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("get", "/api/v1/models", {"model.invoke", "model.train", "model.deploy"}),
        ("get", "/api/v1/models/espcn-x2", {"model.invoke", "model.train", "model.deploy"}),
        ("get", "/api/v1/assets", {action for action in TOKEN_ACTIONS if action.startswith("asset.")}),
        ("post", "/api/v1/assets", {UPLOAD}),
        ("get", "/api/v1/assets/{assets}", {action for action in TOKEN_ACTIONS if action.startswith("asset.")}),
        ("get", "/api/v1/assets/{assets}/receipt", {action for action in TOKEN_ACTIONS if action.startswith("asset.")}),
        ("get", "/api/v1/jobs", OF_JOBS),
        ("get", "/api/v1/jobs/{jobs}", OF_JOBS),
        ("post", "/api/v1/jobs/{jobs}/cancel", {Action.MODEL_INVOKE}),
        ("get", "/api/v1/jobs/{jobs}/output", {Action.OUTPUT_RELEASE}),
        ("get", "/api/v1/jobs/{jobs}/evidence", OF_JOBS),
        ("get", "/api/v1/jobs/{jobs}/receipt", OF_JOBS),
        ("get", "/api/v1/decisions", OF_JOBS),
        ("get", "/api/v1/decisions/{decisions}", OF_JOBS),
        ("get", "/api/v1/decisions/{decisions}/receipt", OF_JOBS),
    ],
)
def test_each_operation_needs_its_action(own, market, caller, method, path, needed):
    everything, _ = client_with_secret(market.partner)
    url = path.format(**own)

    lacking = send(caller(everything, actions=TOKEN_ACTIONS - needed), method, url)
    enough = [send(caller(everything, actions=frozenset({action})), method, url) for action in needed]

    assert (lacking.status_code, lacking.json()["code"]) == (403, "insufficient_scope")
    assert [answer.status_code for answer in enough if answer.status_code == 403] == []


def test_an_upload_stays_within_the_datasets(own, market, caller):
    narrow = caller(market.client, datasets=frozenset({"zoo"}))

    def upload(**fields):
        file = SimpleUploadedFile("y.png", image_bytes(seed=4))
        return narrow.post("/api/v1/assets", {"file": file, "creator": "ada", "title": "Y"} | fields)

    outside, absent, without = upload(dataset="prints"), upload(dataset="ghost"), upload()

    codes = [answer.json()["errors"][0]["code"] for answer in (outside, absent)]
    assert (outside.status_code, codes) == (400, ["does_not_exist", "does_not_exist"])
    assert (without.status_code, without.json()["code"]) == (403, "insufficient_scope")
    assert upload(dataset="zoo").status_code == 201


def test_a_work_outside_the_datasets_is_no_input(own, market, caller, submit):
    narrow = caller(market.client, datasets=frozenset({"zoo"}))

    outside, absent = submit(by=narrow, inputs=[own["assets"]]), submit(by=narrow, inputs=[str(uuid4())])

    assert (outside.status_code, outside.json()["code"]) == (404, "asset_not_found")
    assert outside.json()["detail"] == absent.json()["detail"]


def test_a_used_key_says_nothing_of_a_job_outside_the_token(own, market, caller, submit):
    submit(key="k", inputs=[own["assets"]])
    narrow = caller(market.client, models=frozenset({"sketch"}))

    answer = submit(key="k", by=narrow, inputs=[own["assets"]])

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    assert "details" not in answer.json()


EVALUATION = "/access/v1/evaluation"
SEARCH = "/access/v1/search/"


@pytest.fixture
def question(own, market):
    def build(client, **changes):
        return {
            "subject": {"type": "client", "id": client.client_id},
            "action": {"name": "asset.infer"},
            "resource": {"type": "asset", "id": own["assets"]},
            "context": {"purpose": "commercial", "model": "espcn-x2"},
        } | changes

    return build


@pytest.mark.parametrize("about", ["itself", "another client"])
@pytest.mark.parametrize(
    "narrowed",
    [
        {"datasets": frozenset({"zoo"})},
        {"models": frozenset({"sketch"})},
        {"purposes": frozenset({"research"})},
        {"actions": frozenset({"model.invoke"})},
    ],
)
def test_policy_answers_no_question_past_the_token(own, market, caller, question, about, narrowed):
    other, _ = client_with_secret(market.partner)
    client = {"itself": market.client, "another client": other}[about]
    narrow, full = caller(market.client, **narrowed), caller(market.client)

    def ask(by, path, body):
        return by.post(path, body, content_type="application/json").json()

    assert ask(full, EVALUATION, question(client))["decision"] is True
    assert ask(narrow, EVALUATION, question(client))["decision"] is False
    wanted = question(client, resource={"type": "asset"})
    assert own["assets"] in str(ask(full, f"{SEARCH}resource", wanted))
    assert ask(narrow, f"{SEARCH}resource", wanted)["results"] == []
    assert {"name": "asset.infer"} not in ask(narrow, f"{SEARCH}action", question(client))["results"]
    found = ask(narrow, f"{SEARCH}subject", question(client, subject={"type": "client"}))["results"]
    assert client.client_id not in str(found)


@pytest.mark.parametrize("narrowed", [{"datasets": frozenset({"zoo"})}, {"models": frozenset({"sketch"})}])
def test_a_question_about_what_is_outside_the_token_is_answered_like_one_about_nothing(
    market, caller, question, narrowed
):
    narrow = caller(market.client, **narrowed)
    asked = question(market.client)
    absent = asked | {"resource": {"type": "asset", "id": str(uuid4())}}
    answers = [narrow.post(EVALUATION, body, content_type="application/json").json() for body in (asked, absent)]

    assert answers[0]["context"]["reasons"][0]["code"] == answers[1]["context"]["reasons"][0]["code"]
