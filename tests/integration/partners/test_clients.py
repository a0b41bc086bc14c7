"""API clients in the database, and in the ledger."""

import json

import pytest

from governance.audit.models import OutboxEntry
from governance.kernel.canonical import timestamp
from governance.kernel.vocabulary import TOKEN_ACTIONS, Purpose
from governance.partners.clients import create_client
from governance.partners.errors import ClientInvalid
from tests.factories.partners import ACTOR, PartnerFactory, client_with_secret


def entries(kind: str) -> list[dict]:
    return [json.loads(bytes(entry.body)) for entry in OutboxEntry.objects.filter(kind=kind).order_by("id")]


def test_a_new_client_is_on_record_without_its_secret(db):
    client, secret = client_with_secret(models=["sketch"])
    [entry] = entries("client.created")
    assert entry["subject"] == {"type": "client", "id": client.client_id}
    assert entry["data"]["partner"] == client.partner.slug
    assert entry["data"]["authorization_details"][0]["models"] == ["sketch"]
    assert entry["data"]["before"] is None
    assert entry["data"]["after"] == {
        "client_id": client.client_id,
        "partner": client.partner.slug,
        "name": "server",
        "actions": sorted(TOKEN_ACTIONS),
        "purposes": sorted(Purpose),
        "models": ["sketch"],
        "datasets": [],
        "roles": [],
        "enabled": True,
        "secret_set_at": timestamp(client.secret_set_at),
        "earlier_secret_until": None,
        "keys": [],
    }
    assert secret not in json.dumps(entry)


@pytest.mark.parametrize(
    "wrong",
    [
        {"actions": []},
        {"purposes": []},
        {"actions": ["fly"]},
        {"purposes": ["fun"]},
        {"models": ["no slug"]},
        {"datasets": ["x" * 51]},
    ],
)
def test_a_client_is_refused_what_does_not_exist(db, wrong):
    fields = {"actions": ["asset.infer"], "purposes": ["research"]} | wrong
    with pytest.raises(ClientInvalid):
        create_client(partner=PartnerFactory.create(), name="server", actor=ACTOR, **fields)
    assert not OutboxEntry.objects.filter(subject_type="client").exists()
