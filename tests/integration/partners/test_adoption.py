"""The upgrade to version 0.2 puts what was there before on record, as reconciliation expects it."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from governance.audit.models import OutboxEntry
from governance.audit.recording.states import RecordedObject
from governance.partners.entries import CLIENT, MODEL_GROUP, PARTNER, ROLE, TIER
from governance.partners.models import ApiClient
from governance.partners.partners import suspend_partner
from governance.partners.roles import Grant, create_model_group, create_role, set_roles
from governance.partners.tokens import revoke_partner_tokens
from tests.factories.audit import newest_data
from tests.factories.partners import ACTOR, PartnerFactory, client_with_secret, raw_token
from tests.history import guards_lifted

migration = import_module("governance.partners.migrations.0004_states_on_record")
uploads = import_module("governance.partners.migrations.0006_upload_is_an_action")
credentials = import_module("governance.partners.migrations.0008_credentials_of_clients")


@pytest.fixture
def from_before(db: None) -> None:
    """A partner with all that one can have, and nothing on record."""
    partner = PartnerFactory.create()
    group = create_model_group(slug="imaging", name="Imaging", models=["b", "a"], actor=ACTOR)
    base = create_role(slug="base", name="Base", grants=[Grant(group=group)], actor=ACTOR)
    own = [Grant(action="asset.train"), Grant(action="asset.infer", model="a")]
    role = create_role(slug="own", name="Own", grants=own, inherits=[base], partner=partner, actor=ACTOR)
    client, _ = client_with_secret(partner, models=["b", "a"])
    set_roles(client=client, roles=[role, base], actor=ACTOR)
    revoke_partner_tokens(partner=partner, reason="secret_leaked", actor=ACTOR)
    suspend_partner(partner=partner, reason="unpaid", actor=ACTOR)
    with guards_lifted():
        OutboxEntry.objects.all().delete()


#: What clients' states have since version 0.3.
LATER = {"enabled", "secret_set_at", "earlier_secret_until", "keys"}


@pytest.mark.parametrize("described", [TIER, PARTNER, MODEL_GROUP, ROLE, CLIENT], ids=lambda each: each.subject)
def test_each_row_is_adopted_with_its_state(from_before: None, described: RecordedObject[Any]) -> None:
    migration.adopt(apps, connection.schema_editor())

    for row in described.rows():
        adopted = newest_data(f"{described.subject}.adopted", described.ref(row))
        state = {name: value for name, value in described.state(row).items() if name not in LATER}
        assert adopted == {"before": None, "after": state}
    assert described.rows().count() > 0


def test_clients_keep_the_right_to_upload_and_are_adopted_with_what_states_have_now(from_before: None) -> None:
    ApiClient.objects.update(actions=["asset.infer"], secret_set_at=None)
    client = ApiClient.objects.get()
    raw_token(client)
    ApiClient.objects.update(last_used_at=None)

    uploads.keep_uploads(apps, connection.schema_editor())
    kept = newest_data("client.adopted", CLIENT.ref(client))
    credentials.adopt(apps, connection.schema_editor())

    client.refresh_from_db()
    assert client.actions == ["asset.infer", "asset.upload"]
    assert kept["before"]["actions"] == ["asset.infer"]
    assert kept["after"]["actions"] == ["asset.infer", "asset.upload"]
    assert newest_data("client.adopted", CLIENT.ref(client)) == {
        "before": kept["after"],
        "after": CLIENT.present_state(client),
    }
    assert client.last_used_at is not None


def test_every_row_is_adopted_once_by_the_upgrade(from_before: None) -> None:
    migration.adopt(apps, connection.schema_editor())

    kinds = OutboxEntry.objects.order_by("id").values_list("kind", flat=True)
    assert [*kinds] == [
        "tier.adopted", "partner.adopted", "model_group.adopted", "role.adopted", "role.adopted", "client.adopted"
    ]  # fmt: skip
    assert {entry.actor_id for entry in OutboxEntry.objects.all()} == {"upgrade"}
