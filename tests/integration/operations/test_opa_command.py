"""`manage.py opa`."""

import json
from io import StringIO
from stat import S_IMODE

import pytest
from django.core.management import CommandError, call_command

from governance.audit.types import Actor
from governance.opa.intake import store_logs
from governance.opa.models import OpaServer
from governance.opa.queries import server_of
from governance.opa.services import enrol
from tests.factories.opa_events import event


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("opa", *arguments, stdout=out)
    return out.getvalue()


def token_in(text: str) -> str:
    return json.loads(text)["services"]["assent"]["credentials"]["bearer"]["token"]


def test_enrolling_writes_a_configuration_that_names_key_and_credential(db):
    config = json.loads(run("enrol", "edge", "--url", "https://assent.example/"))
    server = OpaServer.objects.get()
    assert config["services"]["assent"]["url"] == "https://assent.example/opa"
    assert config["bundles"]["assent"]["signing"] == {"keyid": server.key_id, "scope": "assent-policy"}
    assert "BEGIN PUBLIC KEY" in config["keys"][server.key_id]["key"]
    assert server_of(token_in(json.dumps(config))) == server


def test_a_file_is_for_its_owner_only(db, tmp_path):
    path = tmp_path / "opa.json"
    run("enrol", "edge", "--url", "http://x", "--output", str(path))
    assert S_IMODE(path.stat().st_mode) == 0o600
    assert token_in(path.read_text())


def test_enrolling_twice_needs_a_word(db):
    first = run("enrol", "edge", "--url", "http://x")
    with pytest.raises(CommandError, match="opa_name_taken"):
        run("enrol", "edge", "--url", "http://x")
    again = run("enrol", "edge", "--url", "http://x", "--or-renew")
    assert token_in(first) != token_in(again)


def test_renewing_and_revoking(db):
    run("enrol", "edge", "--url", "http://x")
    assert server_of(token_in(run("renew", "edge", "--url", "http://x"))).name == "edge"
    run("revoke", "edge")
    assert "revoked" in run("list")
    with pytest.raises(CommandError, match="opa_revoked"):
        run("renew", "edge", "--url", "http://x")


@pytest.mark.parametrize("name", ["", "Edge", "-x", "a b", "x" * 51])
def test_an_odd_name_is_refused(db, name):
    with pytest.raises(CommandError):
        run("enrol", name, "--url", "http://x")


def test_an_unknown_server_is_reported(db):
    with pytest.raises(CommandError, match="no OPA server 'nobody'"):
        run("revoke", "nobody")


def test_nothing_reconciles_with_nothing(db):
    assert json.loads(run("reconcile"))["reconcile"]["disagreeing"] == 0


def test_questions_asked_past_assent_are_named(db):
    server, _ = enrol(name="edge", actor=Actor("system", "tests"))
    store_logs(server=server, events=[event(f"d-{number}", path="assent/x") for number in range(3)])
    err = StringIO()
    out = StringIO()

    call_command("opa", "reconcile", "--most", "2", stdout=out, stderr=err)

    told = json.loads(out.getvalue())["reconcile"]
    assert (told["past_assent"], told["disagreeing"]) == (3, 0)
    assert [each["decision_id"] for each in told["strangers"]] == ["d-0", "d-1"]
    assert told["strangers"][0] | {"when": ""} == {
        "decision_id": "d-0", "server": "edge", "path": "assent/x", "subject": "", "when": "",
    }  # fmt: skip
    assert "3 questions were asked past Assent" in err.getvalue()


@pytest.mark.parametrize("hours", ["1e300", "inf", "nan"])
def test_a_period_without_a_beginning_is_refused(db, hours):
    with pytest.raises(CommandError):
        run("reconcile", "--hours", hours)
