"""The Authorization API 1.0 of OpenID AuthZEN; the certification scenario of the working group, where it applies."""

import pytest

from governance.audit.models import OutboxEntry
from governance.kernel.vocabulary import Action, Purpose
from governance.rulebook.activation import publish_without_review
from governance.rulebook.models import PolicyActivation
from tests.factories.catalog import AssetFactory, CreatorFactory
from tests.factories.marketplace import TESTER, make_partner
from tests.factories.partners import client_with_secret
from tests.factories.rulebook import AbacRuleFactory

EVALUATION, EVALUATIONS = "/access/v1/evaluation", "/access/v1/evaluations"
SUBJECTS, RESOURCES, ACTIONS = (f"/access/v1/search/{kind}" for kind in ("subject", "resource", "action"))
CONTEXT = {"purpose": "commercial", "model": "espcn-x2"}
GHOST = {"type": "asset", "id": "01997c3e-8f6b-7d5c-9a53-2f1d0c6e4b7a"}


@pytest.fixture
def asked(market):
    """Return a question whose answer is yes."""
    return {
        "subject": {"type": "client", "id": market.client.client_id},
        "action": {"name": "asset.infer"},
        "resource": {"type": "asset", "id": str(market.asset.id)},
        "context": CONTEXT,
    }


@pytest.fixture
def ask(api):
    def send(url, body, **headers):
        return api.post(url, body, content_type="application/json", headers=headers)

    return send


def test_a_permit_is_an_answer_on_record(ask, asked, market):
    answer = ask(EVALUATION, asked)

    body = answer.json()
    assert (answer.status_code, answer.headers["Content-Type"], body["decision"]) == (200, "application/json", True)
    entry = OutboxEntry.objects.get(kind="access.evaluated", subject_id=body["context"]["id"])
    assert entry.actor_id == market.client.client_id


def test_a_denial_is_an_answer_with_reasons(ask, asked, market):
    market.withdraw()

    answer = ask(EVALUATION, asked)

    body = answer.json()
    assert (answer.status_code, body["decision"]) == (200, False)
    assert [reason["code"] for reason in body["context"]["reasons"]] == ["consent_withdrawn"]
    assert body["context"]["reason_user"] == {"en": "The creator has withdrawn consent for this work."}


def test_where_no_rule_permits_it_says_what_that_would_take(caller, asked, market):
    wide, _ = client_with_secret(market.partner)
    asking, _ = client_with_secret(market.partner)
    training = {"action": {"name": "model.train"}, "resource": {"type": "model", "id": "espcn-x2"}}
    AbacRuleFactory(
        effect="permit",
        actions=["model.train"],
        condition={"attr": "subject.tier", "op": "eq", "value": "gold"},
        message="Gold partners train.",
    )
    publish_without_review(actor=TESTER, note="tests")

    subject = {"type": "client", "id": wide.client_id}
    question = asked | training | {"subject": subject}
    context = caller(asking).post(EVALUATION, question, content_type="application/json").json()["context"]

    assert context["reason_user"]["en"].endswith("It would require that the partner's tier is gold.")


def test_a_model_is_asked_about_by_its_slug(ask, asked):
    about = asked | {"action": {"name": "model.invoke"}, "resource": {"type": "model", "id": "espcn-x2"}}

    assert ask(EVALUATION, about).json()["decision"] is True
    assert ask(EVALUATION, about | {"context": {"purpose": "non_commercial"}}).json()["decision"] is False


def test_members_that_are_not_known_are_ignored(ask, asked):
    subject = asked["subject"] | {"properties": {"tier": "gold"}}
    context = CONTEXT | {"time": "1985-10-26T01:22-07:00"}

    assert ask(EVALUATION, asked | {"subject": subject, "context": context, "foo": {"bar": 1}}).json()["decision"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"resource": GHOST}, "resource_unknown"),
        ({"resource": {"type": "asset", "id": "not-an-id"}}, "resource_unknown"),
        ({"resource": {"type": "spaceship", "id": "1"}}, "action_unknown"),
        ({"action": {"name": "asset.fly"}}, "action_unknown"),
        ({"subject": {"type": "user", "id": "alice"}}, "subject_unknown"),
        ({"context": {}}, "purpose_needed"),
        ({"context": {"purpose": "commercial", "model": "ghost"}}, "resource_unknown"),
        ({"context": {"purpose": "commercial"}}, "facts_incomplete"),
    ],
)
def test_what_is_unknown_is_denied(ask, asked, changes, code):
    answer = ask(EVALUATION, asked | changes)

    assert (answer.status_code, answer.json()["decision"]) == (200, False)
    assert [reason["code"] for reason in answer.json()["context"]["reasons"]] == [code]


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": None},
        {"action": {}},
        {"action": {"name": 123}},
        {"resource": {"type": "asset"}},
        {"resource": {"id": "1"}},
        {"subject": "alice"},
        {"subject": {"type": "client"}},
    ],
)
def test_what_is_not_a_question_is_a_bad_request(ask, asked, changes):
    answer = ask(EVALUATION, asked | changes)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("{", "application/json"),
        ("", "application/json"),
        ("{}", "text/plain"),
        ('{"a": 1, "a": 1}', "application/json"),
    ],
)
def test_a_body_that_is_no_json_is_a_bad_request(api, body, kind):
    assert api.post(EVALUATION, body, content_type=kind).status_code == 400


@pytest.mark.parametrize("url", [EVALUATION, EVALUATIONS, SUBJECTS, RESOURCES, ACTIONS])
def test_a_question_without_a_token_is_refused(anonymous, asked, url):
    answer = anonymous.post(url, asked, content_type="application/json")

    assert (answer.status_code, "WWW-Authenticate" in answer.headers) == (401, True)


@pytest.mark.parametrize("given", ["bfe9eb29-ab87-4ca3-be83-a1d5d8305716", "any string (really), even this one!"])
def test_the_request_id_comes_back_as_it_was_sent(ask, asked, given):
    assert ask(EVALUATION, asked, **{"X-Request-ID": given}).headers["X-Request-ID"] == given
    assert ask(EVALUATION, {}, **{"X-Request-ID": given}).headers["X-Request-ID"] == given
    assert ask(EVALUATION, asked).headers["X-Request-ID"]


def test_the_decision_of_the_policy_fails_closed(ask, asked, monkeypatch):
    monkeypatch.setattr(PolicyActivation.objects, "order_by", lambda *_: PolicyActivation.objects.none())

    assert [reason["code"] for reason in ask(EVALUATION, asked).json()["context"]["reasons"]] == ["no_active_revision"]


def test_a_client_of_another_partner_is_unknown(ask, asked):
    _, other, _ = make_partner("umbra")
    about = asked | {"subject": {"type": "client", "id": other.client_id}}

    assert ask(EVALUATION, about).json()["context"]["reasons"][0]["code"] == "subject_unknown"


def test_an_internal_enforcement_point_asks_about_any_client(caller, asked, settings):
    _, gateway, _ = make_partner("assent-gateway")
    settings.ASSENT_INTERNAL_PARTNERS = ["assent-gateway"]

    answer = caller(gateway).post(EVALUATION, asked, content_type="application/json")

    assert answer.json()["decision"] is True


def test_a_narrowed_token_narrows_what_its_own_client_may(market, caller, asked):
    narrow = caller(market.client, purposes=[Purpose.RESEARCH])

    answer = narrow.post(EVALUATION, asked, content_type="application/json")

    assert answer.json()["context"]["reasons"][0]["code"] == "token_purpose_not_covered"


# --- batches


def batch(asked, *each, semantic="execute_all"):
    defaults = {name: asked[name] for name in ("subject", "action", "context")}
    return defaults | {"options": {"evaluations_semantic": semantic}, "evaluations": list(each)}


def decisions(answer):
    assert answer.status_code == 200, answer.content
    return [each["decision"] for each in answer.json()["evaluations"]]


@pytest.mark.parametrize(
    ("semantic", "expected"),
    [
        ("execute_all", [True, False, True, False]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
def test_a_batch_goes_as_far_as_its_semantic(ask, asked, semantic, expected):
    yes, no = {"resource": asked["resource"]}, {"resource": GHOST}

    assert decisions(ask(EVALUATIONS, batch(asked, yes, no, yes, no, semantic=semantic))) == expected


def test_permit_on_first_permit_goes_on_until_there_is_one(ask, asked):
    yes, no = {"resource": asked["resource"]}, {"resource": GHOST}

    body = batch(asked, no, no, yes, yes, semantic="permit_on_first_permit")

    assert decisions(ask(EVALUATIONS, body)) == [False, False, True]


def test_members_of_a_question_override_the_defaults(ask, asked):
    research = {"resource": asked["resource"], "context": {"purpose": "research", "model": "espcn-x2"}}
    only_id = {"resource": {"id": asked["resource"]["id"]}}
    body = batch(asked, research, only_id) | {"resource": {"type": "asset"}}

    assert decisions(ask(EVALUATIONS, body)) == [False, True]


def test_an_error_in_one_question_is_a_denial_of_that_one(ask, asked):
    answer = ask(EVALUATIONS, batch(asked, {"resource": asked["resource"]}, {}))

    assert decisions(answer) == [True, False]
    assert answer.json()["evaluations"][1]["context"]["error"]["status"] == 400


@pytest.mark.parametrize("more", [{}, {"evaluations": []}])
def test_without_a_batch_it_is_one_question(ask, asked, more):
    assert ask(EVALUATIONS, asked | more).json()["decision"] is True


@pytest.mark.parametrize(
    "more", [{"options": {"evaluations_semantic": "maybe"}}, {"evaluations": [{}] * 101}, {"evaluations": "all"}]
)
def test_a_malformed_batch_is_a_bad_request(ask, asked, more):
    assert ask(EVALUATIONS, batch(asked, {}) | more).status_code == 400


# --- searches


def found(answer):
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["page"]["count"] == len(body["results"])
    return [each.get("id", each.get("name")) for each in body["results"]]


def test_resources_are_those_that_would_be_permitted(ask, asked, market):
    AssetFactory(creator=CreatorFactory(slug="silent"))
    search = asked | {"resource": {"type": "asset"}}

    assert found(ask(RESOURCES, search)) == [str(market.asset.id)]
    models = search | {"action": {"name": "model.invoke"}, "resource": {"type": "model", "id": "ignored"}}
    assert found(ask(RESOURCES, models)) == ["espcn-x2"]
    market.withdraw()
    assert found(ask(RESOURCES, search)) == []


def test_every_resource_found_is_permitted_when_it_is_evaluated(ask, asked, market):
    AssetFactory.create_batch(4, creator=market.creator)
    AssetFactory.create_batch(2, creator=market.creator, status="quarantined")

    ids = found(ask(RESOURCES, asked | {"resource": {"type": "asset"}}))

    each = [{"resource": {"type": "asset", "id": key}} for key in ids]
    assert decisions(ask(EVALUATIONS, batch(asked, *each))) == [True] * 5


def test_results_come_in_pages(ask, asked, market):
    AssetFactory.create_batch(4, creator=market.creator)
    search, token, seen = asked | {"resource": {"type": "asset"}}, "", []
    for _ in range(3):
        body = ask(RESOURCES, search | {"page": {"limit": 2, "token": token}}).json()
        seen += [each["id"] for each in body["results"]]
        token = body["page"]["next_token"]

    assert (len(seen), len(set(seen)), token) == (5, 5, "")


def test_actions_are_those_that_would_be_permitted(ask, asked):
    search = {name: asked[name] for name in ("subject", "resource", "context")}

    assert found(ask(ACTIONS, search)) == ["asset.infer"]
    assert found(ask(ACTIONS, search | {"resource": {"type": "model", "id": "espcn-x2"}})) == ["model.invoke"]


def test_subjects_are_clients_of_the_same_partner(ask, asked, market):
    second, _ = client_with_secret(market.partner)
    client_with_secret(market.partner, actions=[Action.MODEL_INVOKE])
    make_partner("umbra")
    search = asked | {"subject": {"type": "client"}}

    assert found(ask(SUBJECTS, search)) == sorted([market.client.client_id, second.client_id])
    first = ask(SUBJECTS, search | {"page": {"limit": 1}}).json()
    rest = ask(SUBJECTS, search | {"page": {"limit": 1, "token": first["page"]["next_token"]}}).json()
    assert [first["results"][0]["id"], rest["results"][0]["id"]] == sorted([market.client.client_id, second.client_id])
    assert rest["page"]["next_token"] == ""


@pytest.mark.parametrize(
    ("url", "changes"),
    [
        (SUBJECTS, {"subject": {"type": "spaceship"}}),
        (SUBJECTS, {"resource": GHOST}),
        (RESOURCES, {"subject": {"type": "client", "id": "nobody"}}),
        (RESOURCES, {"resource": {"type": "spaceship"}}),
        (RESOURCES, {"action": {"name": "model.invoke"}}),
        (ACTIONS, {"subject": {"type": "client", "id": "nobody"}}),
        (ACTIONS, {"resource": GHOST}),
    ],
)
def test_a_search_for_what_is_unknown_finds_nothing(ask, asked, url, changes):
    assert found(ask(url, asked | changes)) == []


@pytest.mark.parametrize(
    ("url", "changes"),
    [
        (SUBJECTS, {"action": None}),
        (SUBJECTS, {"resource": {"type": "asset"}}),
        (SUBJECTS, {"context": {}}),
        (RESOURCES, {"subject": {"type": "client"}}),
        (RESOURCES, {"context": {"purpose": "commercial"}}),
        (RESOURCES, {"page": {"token": "§"}}),
        (RESOURCES, {"page": {"token": "bm90LWFuLWlk"}}),
        (RESOURCES, {"page": {"limit": 0}}),
        (ACTIONS, {"resource": None}),
    ],
)
def test_an_incomplete_search_is_a_bad_request(ask, asked, url, changes):
    assert ask(url, asked | changes).status_code == 400


def test_the_metadata_names_the_endpoints(anonymous):
    answer = anonymous.get("/.well-known/authzen-configuration", secure=True)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json() == {
        "policy_decision_point": "https://testserver",
        "access_evaluation_endpoint": "https://testserver/access/v1/evaluation",
        "access_evaluations_endpoint": "https://testserver/access/v1/evaluations",
        "search_subject_endpoint": "https://testserver/access/v1/search/subject",
        "search_resource_endpoint": "https://testserver/access/v1/search/resource",
        "search_action_endpoint": "https://testserver/access/v1/search/action",
    }
