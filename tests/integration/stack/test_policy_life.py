"""The policy lifecycle with real processes: the control worker replays, and all of them follow what is activated."""

import json
import re
from uuid import uuid4

import pytest
import requests

from scripts.demo.client import PartnerApp
from scripts.stack.stack import Stack
from tests.waiting import PATIENCE_SECONDS, wait_until

PASSWORD = "correct horse battery staple"
RULE = {
    "slug": "no-germany",
    "effect": "deny",
    "actions": ["model.invoke"],
    "condition": json.dumps({"attr": "subject.region", "op": "eq", "value": "DE"}),
    "reason_code": "region_blocked",
    "message": "Not in {subject.region}.",
    "obligations": "[]",
    "enabled": "on",
}
SECOND_PERSON = f"""
from django.contrib.auth.models import User
User.objects.create_superuser("second", password="{PASSWORD}")
"""


class Console:
    """A person in front of the console, without the browser."""

    def __init__(self, url: str, name: str, password: str) -> None:
        self.url, self.session = url, requests.Session()
        self.post("/admin/login/?next=/admin/", login=name, password=password)

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.url + path, timeout=PATIENCE_SECONDS)

    def post(self, path: str, **data: object) -> requests.Response:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(path).text)
        answer = self.session.post(
            self.url + path, data={"csrfmiddlewaretoken": token[1], **data}, timeout=PATIENCE_SECONDS
        )
        assert answer.status_code == 200
        return answer


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with Stack(tmp_path_factory.mktemp("stack"), seed=("seed_demo",)) as started:
        started.manage("shell", "-c", SECOND_PERSON)
        yield started


@pytest.fixture(scope="module")
def access(stack):
    return json.loads((stack.data_dir / "data" / "access.json").read_text())


@pytest.fixture(scope="module")
def app(stack, access):
    client = PartnerApp(stack.web_url, access["client_id"], access["client_secret"])
    client.authenticate()
    yield client
    client.session.close()


def test_a_rule_from_draft_to_rollback_and_freeze(stack, app, access):
    works = {work["title"]: work["id"] for work in app.get("/assets", page_size="50")["results"]}

    def ask():
        return app.submit(works["Portrait in orange"], purpose="commercial", key=uuid4().hex)

    first = ask()
    assert first.status_code == 202
    author = Console(stack.web_url, access["console_username"], access["console_password"])
    second = Console(stack.web_url, "second", PASSWORD)

    author.post("/admin/rulebook/abacrule/add/", **RULE)
    draft = author.post("/admin/rulebook/policydraft/propose/", title="Germany is off", note="").url
    draft = draft.removeprefix(stack.web_url).removesuffix("change/")
    report = author.post(f"{draft}replay/", days="1", sample_percent="100").url.removeprefix(stack.web_url)
    wait_until(lambda: 'data-tone="good">Finished' in author.get(report).text, pause=0.5)
    assert "no-germany" in author.get(report).text
    author.post(f"{draft}submit/", comment="Please look.")
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', second.get(f"{draft}approve/").text)[1]
    second.post(f"{draft}approve/", digest=digest, comment="Fine.")
    assert ask().status_code == 202
    active = second.post(f"{draft}activate/")
    assert "It decides from now on." in active.text
    assert [each["code"] for each in ask().json()["reasons"]] == ["region_blocked"]

    _, became, *_ = re.findall(r"/admin/rulebook/policyrevision/[0-9a-f-]{36}/", active.text)
    seen = re.search(r'name="active" value="([0-9a-f-]{36})"', second.get(f"{became}rollback/").text)[1]
    second.post(f"{became}rollback/", reason="It denied too much.", active=seen)
    assert ask().status_code == 202

    author.post("/admin/rulebook/policyfreeze/begin/", reason="A test.")
    frozen = ask()
    assert (frozen.status_code, [each["code"] for each in frozen.json()["reasons"]]) == (403, ["policy_frozen"])

    decision = first.json()["decision_id"]
    remade = json.loads(stack.manage("decision", "remake", "--json", decision).strip().splitlines()[-1])
    assert (remade["agrees"], remade["remade"], remade["evaluations"]) == (True, "permit", 2)
