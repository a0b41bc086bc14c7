"""The page where anybody may check a receipt: no account, no session, no file but the receipt."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from governance.audit.models import OutboxEntry, Receipt
from governance.console.verification import receipt_file
from governance.kernel.errors import Unavailable
from governance.transparency.verifier import Status, verify
from tests.factories.checkpoints import make_checkpoint

VERIFY = "verify"


@pytest.fixture
def anybody() -> Client:
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def receipt(released, market) -> Receipt:
    make_checkpoint()
    return Receipt.objects.get(kind="asset.registered", subject_id=str(market.asset.id))


def sent(client: Client, content: bytes, sha256: str = ""):
    files = {"receipt": SimpleUploadedFile("receipt.json", content), "artifact_sha256": sha256}
    return client.post(reverse(VERIFY), files)


def test_the_page_is_open_to_everybody_and_keeps_nothing(receipt, anybody):
    before = OutboxEntry.objects.count()
    answer = anybody.get(reverse(VERIFY))
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    sent(anybody, receipt_file(receipt))
    assert OutboxEntry.objects.count() == before
    assert not anybody.cookies


def test_a_receipt_is_judged_with_the_digest_of_its_file(receipt, market, anybody):
    found = sent(anybody, receipt_file(receipt), market.asset.sha256).context["found"]
    assert found.word == "Valid"
    found = sent(anybody, receipt_file(receipt), "00" * 32).context["found"]
    assert found.word == "Not valid"


def test_the_trust_file_is_for_everybody(receipt, anybody):
    trust = anybody.get(reverse("verify-trust"))
    assert trust["Content-Disposition"] == 'attachment; filename="assent-trust.json"'
    assert verify(receipt_file(receipt), None, trust.content).status is Status.VALID
    assert "private" not in json.dumps(trust.json()).lower()


def test_too_much_is_refused_before_it_is_read(receipt, anybody):
    answer = anybody.generic("POST", reverse(VERIFY), b"x", content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 200
    answer = sent(anybody, b"x" * (2 * 1024 * 1024))
    assert answer.status_code == 413
    assert "larger than any receipt" in answer.content.decode()
    answer = anybody.post(reverse(VERIFY), {}, CONTENT_LENGTH="much")
    assert answer.status_code == 413


@pytest.mark.parametrize("sha256", ["beef", "z" * 64, "A" * 64, "0" * 65])
def test_what_is_no_digest_is_reported(sha256, receipt, anybody):
    assert "64 digits" in sent(anybody, receipt_file(receipt), sha256).content.decode()


def test_what_is_no_receipt_is_reported(db, anybody):
    assert sent(anybody, b"not JSON").context["found"].word == "Cannot be checked"
    assert "receipt" in anybody.post(reverse(VERIFY)).context["form"].errors


def test_keys_that_cannot_be_read_are_no_secret_and_no_verdict(receipt, anybody, monkeypatch):
    def broken(**_: object) -> bytes:
        raise Unavailable("The key store of /secret/place is locked.")

    monkeypatch.setattr("governance.console.verification.trust_file", broken)
    answer = sent(anybody, receipt_file(receipt))
    assert answer.status_code == 503
    assert "cannot be checked here at the moment" in answer.content.decode()
    assert "/secret/place" not in answer.content.decode()
    assert anybody.get(reverse("verify-trust")).status_code == 503


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(method, db, anybody):
    assert getattr(anybody, method)(reverse(VERIFY)).status_code == 405


def test_the_login_page_leads_there(db, anybody):
    assert reverse(VERIFY) in anybody.get(reverse("admin:login")).content.decode()
