"""Fixtures of the API's tests: a marketplace, and callers who only speak HTTP."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.test import Client

from governance.kernel.vocabulary import Action, Purpose
from governance.partners.models import ApiClient
from tests.factories.marketplace import Marketplace, make_partner
from tests.factories.partners import FORM, basic_auth, client_with_secret, raw_token


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
def market(db, private_data, marketplaces) -> Marketplace:
    return marketplaces.open("api", data=private_data)


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


@pytest.fixture
def known(db) -> SimpleNamespace:
    """Return a client that may do some things, its secret, and the header it authenticates with."""
    client, secret = client_with_secret(
        actions=[Action.ASSET_INFER, Action.MODEL_INVOKE],
        purposes=[Purpose.RESEARCH, Purpose.COMMERCIAL],
        models=["espcn-x2", "sketch"],
    )
    return SimpleNamespace(client=client, secret=secret, headers=basic_auth(client.client_id, secret))


@pytest.fixture
def oauth(anonymous, known):
    """Return what posts a form to an OAuth endpoint, as the known client or with other headers."""

    def post(endpoint: str, headers: dict[str, str] | None = None, **form: Any):
        headers = known.headers if headers is None else headers
        return anonymous.post(f"/api/v1/oauth/{endpoint}", urlencode(form, doseq=True), FORM, headers=headers)

    return post


@pytest.fixture
def ask(oauth):
    """Return what asks for a token as the known client."""

    def post(**form: Any):
        return oauth("token", grant_type="client_credentials", **form)

    return post


@pytest.fixture
def own_token(anonymous):
    """Return what asks what a token covers, with that token."""

    def get(raw: str):
        return anonymous.get("/api/v1/token", headers={"Authorization": f"Bearer {raw}"})

    return get
