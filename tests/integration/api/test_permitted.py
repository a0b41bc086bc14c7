"""Lists of what policy permits, over HTTP."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance.decisions.ports import supported_obligations
from governance.kernel.vocabulary import Action
from governance.rulebook.activation import publish_without_review
from governance.rulebook.models import PolicyActivation
from tests.factories.catalog import AssetFactory, CreatorFactory
from tests.factories.licences import change_licence
from tests.factories.marketplace import TESTER
from tests.factories.rulebook import AbacRuleFactory

TRAIN = "/api/v1/assets?permitted_for=asset.infer&purpose=commercial"
INVOKE = "/api/v1/models?permitted_for=model.invoke&purpose=commercial"


def ids(answer):
    assert answer.status_code == 200, answer.content
    return {row["id"] for row in answer.json()["results"]}


def test_only_works_under_consent_are_listed(api, market):
    AssetFactory(creator=CreatorFactory(slug="silent"))

    assert ids(api.get(TRAIN)) == {str(market.asset.id)}
    assert ids(api.get(TRAIN.replace("commercial", "research"))) == set()


def test_a_withdrawal_empties_the_list_at_once(api, market):
    market.withdraw()

    assert ids(api.get(TRAIN)) == set()


def test_the_list_is_one_query_however_many_works_there_are(api, market):
    api.get(TRAIN)  # the first question reads the policy
    with CaptureQueriesContext(connection) as few:
        api.get(TRAIN)
    AssetFactory.create_batch(30, creator=market.creator)
    with CaptureQueriesContext(connection) as many:
        assert len(ids(api.get(TRAIN))) == 31

    asked = [query["sql"] for query in many if 'FROM "catalog_asset"' in query["sql"]]
    assert len(asked) == 1
    assert len(many) == len(few)


def test_pages_hold_every_permitted_work_once(api, market):
    AssetFactory.create_batch(6, creator=market.creator)
    AssetFactory.create_batch(6, creator=CreatorFactory(slug="silent"))
    seen, url = [], f"{TRAIN}&page_size=3"
    for _ in range(3):
        page = api.get(url).json()
        seen += [row["id"] for row in page["results"]]
        url = page["next"]

    assert (len(seen), len(set(seen)), url) == (7, 7, None)


def test_a_rule_about_the_model_needs_the_model_named(api, market):
    AbacRuleFactory(actions=[Action.ASSET_INFER], condition={"attr": "model.slug", "op": "eq", "value": "espcn-x2"})
    publish_without_review(actor=TESTER, note="tests")

    refused = api.get(TRAIN)

    assert (refused.status_code, refused.json()["code"]) == (400, "model_needed")
    assert ids(api.get(f"{TRAIN}&model=espcn-x2")) == set()
    assert api.get(f"{TRAIN}&model=ghost").json()["code"] == "query_invalid"


@pytest.mark.parametrize("query", ["permitted_for=asset.infer", "purpose=research", "model=x&purpose=research"])
def test_half_a_question_is_refused(api, query):
    answer = api.get(f"/api/v1/assets?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "query_invalid")


def test_an_action_of_another_kind_is_refused(api):
    assert api.get(TRAIN.replace("asset.infer", "model.invoke")).status_code == 400
    assert api.get(INVOKE.replace("model.invoke", "asset.infer")).status_code == 400


def test_without_an_active_policy_there_is_no_list(api, market, monkeypatch):
    monkeypatch.setattr(PolicyActivation.objects, "order_by", lambda *_: PolicyActivation.objects.none())

    answer = api.get(TRAIN)

    assert (answer.status_code, answer.json()["code"]) == (503, "no_active_revision")


def test_a_token_that_does_not_cover_the_action_finds_nothing(market, caller):
    narrow = caller(market.client, actions=[Action.ASSET_PREVIEW])

    assert ids(narrow.get(TRAIN)) == set()


def test_models_are_listed_by_what_their_licence_permits(api, market, caller):
    [model] = api.get(INVOKE).json()["results"]
    assert model["slug"] == "espcn-x2"
    assert api.get(INVOKE.replace("=commercial", "=non_commercial")).json()["results"] == []
    change_licence(market.version.model.licence, partners=("northlight",))
    assert api.get(INVOKE).json()["results"] == []


def test_a_licence_with_an_unsupported_obligation_permits_nothing(api, market):
    change_licence(market.version.model.licence, obligations=({"kind": "embed_provenance", "parameters": {}},))

    with supported_obligations.override(frozenset({"attribution"})):
        assert api.get(INVOKE).json()["results"] == []
