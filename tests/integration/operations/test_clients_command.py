"""`manage.py clients`."""

import io
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from governance.audit.models import OutboxEntry
from governance.partners.models import ApiClient
from tests.factories.assertions import private_key, public_jwk
from tests.factories.partners import PartnerFactory, client_with_secret, is_earlier_secret, is_newest_secret, raw_token

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("clients", *arguments, stdout=out)
    return out.getvalue()


def test_a_client_is_created_and_its_secret_printed_once() -> None:
    PartnerFactory.create(slug="lumen")

    made = json.loads(
        run("create", "lumen", "Photo app", "--scope", "asset.infer", "--purpose", "research", "--model", "sketch")
    )

    client = ApiClient.objects.get(client_id=made["client_id"])
    assert is_newest_secret(client, made["client_secret"])
    assert (client.name, client.actions, client.model_slugs) == ("Photo app", ["asset.infer"], ["sketch"])
    assert made["client_secret"] not in run("list")


def test_a_client_is_disabled_enabled_and_renamed_on_record() -> None:
    client, _ = client_with_secret()
    raw_token(client)

    assert "revoked: 1." in run("disable", client.client_id, "--reason", "secret_leaked")
    assert "disabled" in run("list", "--partner", client.partner.slug)
    run("enable", client.client_id, "--reason", "resolved")
    run("rename", client.client_id, "Photo app")

    assert "Photo app" in run("list")
    about = OutboxEntry.objects.filter(subject_type="client").order_by("id")
    assert [*about.values_list("kind", flat=True)] == [
        "client.created", "client.disabled", "client.enabled", "client.renamed"
    ]  # fmt: skip


def test_a_secret_is_rotated_and_the_overlap_ended() -> None:
    client, first = client_with_secret()

    second = json.loads(run("rotate", client.client_id))
    client.refresh_from_db()
    assert is_earlier_secret(client, first)
    assert is_newest_secret(client, second["client_secret"])
    run("end-earlier", client.client_id)
    client.refresh_from_db()
    assert not is_earlier_secret(client, first)
    assert json.loads(run("rotate", client.client_id, "--overlap-hours", "0"))["earlier_secret_until"] is None


def test_keys_are_added_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    client, _ = client_with_secret()
    first, second = (json.dumps(public_jwk("EdDSA", private_key("EdDSA", name=name), kid=name)) for name in "ab")
    monkeypatch.setattr("sys.stdin", io.StringIO(first))
    run("add-key", client.client_id)
    monkeypatch.setattr("sys.stdin", io.StringIO(second))
    run("add-key", client.client_id)

    run("remove-key", client.client_id, "a")

    assert "keys b" in run("list")


def test_an_unused_client_is_deleted_with_a_word() -> None:
    client, _ = client_with_secret()

    with pytest.raises(CommandError):
        run("delete", client.client_id)
    run("delete", client.client_id, "--yes")

    assert not ApiClient.objects.exists()


def test_tokens_are_revoked() -> None:
    client, _ = client_with_secret()
    raw_token(client)

    assert run("revoke", client.client_id, "--reason", "secret_leaked") == "Live tokens that were revoked: 1.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("rename", "ghost", "x"), "There is no API client 'ghost'"),
        (("create", "ghost", "x", "--scope", "asset.infer", "--purpose", "research"), "There is no partner 'ghost'"),
        (("disable", "{client}", "--reason", "Ada did it"), "client_invalid"),
        (("enable", "{client}", "--reason", "resolved"), "client_status_conflict"),
        (("end-earlier", "{client}"), "secret_not_overlapping"),
        (("rotate", "{client}", "--overlap-hours", "1000"), "overlap_invalid"),
        (("remove-key", "{client}", "x"), "client_key_unknown"),
    ],
)
def test_what_cannot_be_done_says_why(arguments: tuple[str, ...], sentence: str) -> None:
    client, _ = client_with_secret()

    with pytest.raises(CommandError, match=sentence):
        run(*(each.format(client=client.client_id) for each in arguments))


def test_a_key_that_is_no_json_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    client, _ = client_with_secret()
    monkeypatch.setattr("sys.stdin", io.StringIO('{"kty": "OKP", "kty": "EC"}'))

    with pytest.raises(CommandError, match="the name occurs twice"):
        run("add-key", client.client_id)
