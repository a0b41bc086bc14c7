"""Narrowing: a token never covers more than its client may have."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.kernel.vocabulary import Action, Purpose
from governance.partners.coverage import MAX_DETAILS_LENGTH, MAX_NAMES, narrow
from governance.partners.errors import AuthorizationDetailsInvalid, ScopeInvalid
from governance.partners.types import Coverage

CLIENT = Coverage(
    actions=frozenset({Action.ASSET_INFER, Action.MODEL_INVOKE}),
    purposes=frozenset({Purpose.RESEARCH, Purpose.COMMERCIAL}),
    models=frozenset({"espcn-x2", "sketch"}),
    datasets=None,
)


def details(**entry):
    return json.dumps([{"type": "assent_job"} | entry])


def names(values, least=0):
    return st.frozensets(st.sampled_from(values), min_size=least)


ACTIONS = [action.value for action in Action]
PURPOSES = [purpose.value for purpose in Purpose]
SLUGS = ["a", "b", "c"]
COVERAGES = st.builds(
    Coverage,
    actions=names(ACTIONS, 1),
    purposes=names(PURPOSES, 1),
    models=st.none() | names(SLUGS, 1),
    datasets=st.none() | names(SLUGS, 1),
)
ASKED = st.fixed_dictionaries(
    {},
    optional={
        "actions": names(ACTIONS).map(sorted),
        "purposes": names(PURPOSES).map(sorted),
        "models": names(SLUGS).map(sorted),
        "datasets": names(SLUGS).map(sorted),
    },
)


def within(narrower, wider):
    return wider is None or (narrower is not None and narrower <= wider)


def outcome(**request):
    try:
        return narrow(**request)
    except (ScopeInvalid, AuthorizationDetailsInvalid):
        return None


@given(allowed=COVERAGES, scope=names(ACTIONS), asked=ASKED)
def test_whatever_is_asked_nothing_is_widened(allowed, scope, asked):
    covered = outcome(allowed=allowed, scope=scope, details=details(**asked)) or allowed
    assert within(covered.actions, allowed.actions)
    assert within(covered.purposes, allowed.purposes)
    assert within(covered.models, allowed.models)
    assert within(covered.datasets, allowed.datasets)


@given(allowed=COVERAGES)
def test_asking_for_all_that_is_allowed_gives_all_of_it(allowed):
    [entry] = allowed.to_details()
    assert narrow(allowed=allowed, scope=allowed.actions, details=json.dumps([entry])) == allowed
    assert narrow(allowed=allowed, scope=(), details=None) == allowed


@given(coverage=COVERAGES)
def test_details_say_exactly_what_is_covered(coverage):
    assert Coverage.from_details(coverage.to_details()) == coverage


def test_a_scope_narrows_the_actions():
    covered = narrow(allowed=CLIENT, scope=["asset.infer"], details=None)
    assert covered == Coverage(frozenset({"asset.infer"}), CLIENT.purposes, CLIENT.models, None)


def test_details_narrow_every_list_they_name():
    asked = details(actions=["model.invoke"], purposes=["research"], models=["sketch"], datasets=["zoo"])
    assert narrow(allowed=CLIENT, scope=(), details=asked) == Coverage(
        frozenset({"model.invoke"}), frozenset({"research"}), frozenset({"sketch"}), frozenset({"zoo"})
    )


@pytest.mark.parametrize("scope", [["asset.train"], ["asset.infer", "nonsense"], ["a\x00b"]])
def test_a_scope_beyond_the_clients_is_refused(scope):
    with pytest.raises(ScopeInvalid, match=r"'asset\.infer', 'model\.invoke'"):
        narrow(allowed=CLIENT, scope=scope, details=None)


def test_a_client_without_actions_gets_no_token():
    with pytest.raises(ScopeInvalid, match="may not do anything"):
        narrow(allowed=Coverage(frozenset(), CLIENT.purposes, None, None), scope=(), details=None)


@pytest.mark.parametrize(
    "asked",
    [
        details(actions=["asset.train"]),
        details(purposes=["non_commercial"]),
        details(models=["espcn-x2", "other"]),
    ],
)
def test_details_beyond_the_clients_are_refused(asked):
    with pytest.raises(AuthorizationDetailsInvalid, match="may not have"):
        narrow(allowed=CLIENT, scope=(), details=asked)


def test_details_may_not_reach_beyond_the_scope_asked_for():
    with pytest.raises(AuthorizationDetailsInvalid, match=r"'model\.invoke'"):
        narrow(allowed=CLIENT, scope=["asset.infer"], details=details(actions=["model.invoke"]))


@pytest.mark.parametrize(
    "malformed",
    [
        "",
        "{",
        "[" * 10_000,
        "{}",
        "[]",
        "null",
        '["assent_job"]',
        '[{"actions": ["asset.infer"]}]',
        '[{"type": "payment_initiation"}]',
        '[{"type": "assent_job"}, {"type": "assent_job"}]',
        details(locations=["https://example.com"]),
        details(actions=[]),
        details(actions="asset.infer"),
        details(actions=[1]),
        details(actions=[["asset.infer"]]),
        details(actions=["fly"]),
        details(purposes=None),
        details(models=["no slug"]),
        details(models=["x\n"]),
        details(models=["x" * 51]),
        details(models=[str(number) for number in range(MAX_NAMES + 1)]),
        details(models=["x"]) + " " * MAX_DETAILS_LENGTH,
    ],
)
def test_malformed_details_are_refused(malformed):
    with pytest.raises(AuthorizationDetailsInvalid):
        narrow(allowed=CLIENT, scope=(), details=malformed)
