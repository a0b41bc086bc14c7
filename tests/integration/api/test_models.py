"""Models over HTTP."""

import pytest

from governance.registry.models import Licence, Model


def test_a_model_shows_its_licence_and_its_aliases(api, market):
    body = api.get("/api/v1/models/espcn-x2").json()
    assert body["task"] == "upscale"
    assert body["owner"] == "assent-labs"
    assert body["licence"]["slug"] == "open"
    assert "partners" not in body["licence"]
    assert body["aliases"] == [
        {
            "name": "production",
            "version": "1.0.0",
            "stage": "production",
            "artifact_sha256": market.version.artifact_sha256,
        }
    ]
    assert api.get("/api/v1/models").json() == {"next": None, "results": [body]}


def test_a_model_without_a_production_alias_is_not_offered(api):
    Model.objects.create(slug="draft", name="Draft", task="upscale", owner="x", licence=Licence.objects.get())
    assert api.get("/api/v1/models/draft").status_code == 404


def test_a_token_shows_only_the_models_it_covers(market, caller):
    narrow = caller(market.client, models=frozenset({"sketch"}))
    assert narrow.get("/api/v1/models").json()["results"] == []
    assert narrow.get("/api/v1/models/espcn-x2").status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [("task=upscale", 1), ("owner=assent-labs", 1), ("owner=nobody", 0), ("task=upscale&owner=nobody", 0)],
)
def test_models_are_filtered(api, query, found):
    assert len(api.get(f"/api/v1/models?{query}").json()["results"]) == found


@pytest.mark.parametrize("slug", ["ghost", "%00", "a%20b", "é", "x" * 51])
def test_an_unknown_model_is_not_found(api, slug):
    answer = api.get(f"/api/v1/models/{slug}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
