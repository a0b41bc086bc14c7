"""Decisions over HTTP: why, without what others may not know."""

import pytest


@pytest.fixture
def denied(submit) -> str:
    return submit(purpose="research").json()["decision_id"]


def test_a_decision_names_reasons_and_rules(api, denied, market):
    body = api.get(f"/api/v1/decisions/{denied}").json()
    assert (body["kind"], body["effect"], body["purpose"]) == ("admission", "deny", "research")
    assert [reason["code"] for reason in body["reasons"]] == ["consent_not_covered"]
    assert body["client_id"] == market.client.client_id
    assert len(body["revision_digest"]) == 64
    by_action = {each["action"]: each for each in body["evaluations"]}
    assert set(by_action) == {"model.invoke", "asset.infer"}
    about_work = by_action["asset.infer"]
    assert about_work["resource"] == {"type": "asset", "id": str(market.asset.id)}
    assert about_work["effect"] == "deny"
    assert set(about_work["matched_rules"]) == {"permit", "deny"}
    assert set(about_work["reasons"][0]) == {"code", "message"}


def test_decisions_have_no_facts_about_others(api, denied):
    text = api.get(f"/api/v1/decisions/{denied}").content.decode()
    for told in ("facts", "partners_excluded", "consent_epochs", "creator"):
        assert f'"{told}"' not in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 2),
        ("effect=deny", 1),
        ("effect=permit&kind=admission", 1),
        ("purpose=research", 1),
        ("kind=release", 0),
        ("decided_after=2000-01-01T00:00:00Z", 2),
        ("decided_before=2000-01-01T00:00:00Z", 0),
        ("job_id=01997c3e-8f6b-7d5c-9a53-2f1d0c6e4b7a", 0),
    ],
)
def test_decisions_are_filtered(api, submit, denied, query, found):
    submit()
    assert len(api.get(f"/api/v1/decisions?{query}").json()["results"]) == found


def test_decisions_are_found_by_their_job(api, submit, denied):
    job_id = submit().json()["id"]
    [decision] = api.get(f"/api/v1/decisions?job_id={job_id}").json()["results"]
    assert (decision["job_id"], decision["effect"]) == (job_id, "permit")


def test_a_decision_explains_itself_in_sentences(api, denied):
    assert api.get(f"/api/v1/decisions/{denied}").json()["explanation"] == [
        "The creator has not given consent for asset.infer for the purpose research.",
        "The licence open covers the model espcn-x2 for the purpose research.",
    ]
