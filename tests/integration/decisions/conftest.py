"""Fixtures of the decisions' tests."""

import pytest

from governance.decisions.facts import run_questions
from governance.decisions.types import AccessContext
from governance.kernel import clock
from governance.kernel.vocabulary import Purpose
from tests.factories.marketplace import Marketplace


@pytest.fixture
def market(db, monkeypatch, marketplaces) -> Marketplace:
    monkeypatch.setattr("celery.current_app.send_task", lambda *args, **options: None)
    return marketplaces.open("decisions")


@pytest.fixture
def context(market) -> AccessContext:
    return AccessContext(
        partner=market.partner,
        client_id=market.client.client_id,
        token=market.grant.coverage,
        purpose=Purpose.COMMERCIAL,
        at=clock.now(),
    )


@pytest.fixture
def asked(market, context):
    return run_questions(context=context, version=market.version, assets=[market.asset])
