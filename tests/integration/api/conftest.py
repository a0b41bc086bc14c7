"""Fixtures of the API's tests: a marketplace, and callers who only speak HTTP."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from governance.partners.models import ApiClient
from tests.factories.marketplace import Marketplace, make_marketplace, make_partner
from tests.factories.partners import client_with_secret, raw_token


@pytest.fixture
def address() -> str:
    """Return an address of its own for each test, because requests are counted by address."""
    return f"10.0.0.1-{uuid4()}"


@pytest.fixture(autouse=True)
def private_data(settings, tmp_path):
    """Give each test its own object storage."""
    settings.DATA_DIR = tmp_path
    objects = settings.STORAGES["objects"]
    options = objects["OPTIONS"] | {"location": str(tmp_path / "objects")}
    settings.STORAGES = settings.STORAGES | {"objects": objects | {"OPTIONS": options}}
    return tmp_path


@pytest.fixture
def market(db, private_data) -> Marketplace:
    return make_marketplace()


@pytest.fixture
def anonymous(db, address) -> Client:
    return Client(REMOTE_ADDR=address, raise_request_exception=False)


@pytest.fixture
def caller(db, address) -> Callable[..., Client]:
    """Return what makes an HTTP caller with a token of a client; `narrowed` as in `raw_token`."""

    def build(client: ApiClient, **narrowed: Any) -> Client:
        headers = {"Authorization": f"Bearer {raw_token(client, **narrowed)}"}
        return Client(REMOTE_ADDR=address, raise_request_exception=False, headers=headers)

    return build


@pytest.fixture
def api(market, caller) -> Client:
    """Return the market's partner as a caller."""
    return caller(market.client)


@pytest.fixture
def visitor(caller) -> Client:
    """Return a partner's caller in an empty marketplace."""
    client, _ = client_with_secret()
    return caller(client)


@pytest.fixture
def stranger(market, caller) -> Client:
    """Return another partner as a caller."""
    _, client, _ = make_partner("umbra")
    return caller(client)


@pytest.fixture
def submit(api, market):
    """Return what submits a job over HTTP; keywords replace parts of the body."""

    def send(key: str | None = None, *, by: Client | None = None, **body: Any):
        request = {
            "model": "espcn-x2",
            "task": "upscale",
            "purpose": "commercial",
            "inputs": [str(market.asset.id)],
        } | body
        headers = {"Idempotency-Key": key or uuid4().hex}
        return (by or api).post("/api/v1/jobs", request, content_type="application/json", headers=headers)

    return send
