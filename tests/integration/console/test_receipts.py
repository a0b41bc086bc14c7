"""Receipts in the console: found, saved, and judged with the file that they are about."""

import hashlib
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from governance.audit.log.trust import trust_document
from governance.audit.models import Checkpoint, EvidenceRecord, LedgerEntry, OutboxEntry, Receipt, ReconciliationReport
from governance.audit.types import Fault
from governance.catalog.objects import read_verified
from governance.console.presentation import list_url, page_url
from governance.transparency.verifier import Status, verify
from tests.factories.audit import make_report
from tests.factories.checkpoints import make_checkpoint

VERIFY = "admin:audit_receipt_verify"


@pytest.fixture
def checkpoint(released) -> Checkpoint:
    return make_checkpoint()


@pytest.fixture
def upload(checkpoint, market) -> Receipt:
    return Receipt.objects.get(kind="asset.registered", subject_id=str(market.asset.id))


def picture(market) -> bytes:
    return read_verified(market.asset.object_name, market.asset.sha256)


def saved(client, receipt) -> bytes:
    answer = client.get(reverse("admin:audit_receipt_file", args=[receipt.pk]))
    assert answer["Content-Disposition"].startswith("attachment; ")
    return answer.content


def checked(client, receipt: bytes, artifact: bytes | None = None):
    files = {"receipt": SimpleUploadedFile("receipt.json", receipt)}
    if artifact is not None:
        files["artifact"] = SimpleUploadedFile("picture.png", artifact)
    return client.post(reverse(VERIFY), files).context


def failing(found) -> list[str]:
    return [step.title for step in found.steps if step.tone == "bad"]


def test_what_is_saved_is_valid_for_anybody_with_the_trust_file(upload, market, boss):
    trust = boss.get(reverse("admin:audit_receipt_trust")).content
    verdict = verify(saved(boss, upload), picture(market), trust)
    assert verdict.status is Status.VALID


def test_the_page_of_a_receipt_judges_it_on_the_spot(upload, boss):
    found = boss.get(page_url(upload)).context["found"]
    assert (found.word, failing(found)) == ("Valid", [])


def test_a_receipt_and_its_file_are_judged(upload, market, boss):
    found = checked(boss, saved(boss, upload), picture(market))["found"]
    assert (found.word, failing(found)) == ("Valid", [])
    assert found.established
    assert [step.title for step in found.steps if step.tone == "quiet"] == ["Enough witnesses cosigned it"]


def test_evidence_is_saved_as_the_receipt_of_how_a_job_ended(checkpoint, boss):
    evidence = EvidenceRecord.objects.get()
    answer = boss.get(reverse("admin:audit_evidencerecord_file", args=[evidence.pk]))
    assert checked(boss, answer.content)["found"].word == "Valid"
    entry = LedgerEntry.objects.get(kind="evidence.issued")
    assert boss.get(page_url(entry)).context["receipt"] == evidence


def test_another_file_is_refused(upload, market, boss):
    found = checked(boss, saved(boss, upload), picture(market) + b"\0")["found"]
    assert (found.word, failing(found)) == ("Not valid", ["The file is the one that the receipt is about"])
    assert found.established == ()


def test_a_changed_receipt_is_refused(upload, boss):
    document = json.loads(saved(boss, upload))
    document["envelope"]["signatures"][0]["sig"] = "AAAA" + document["envelope"]["signatures"][0]["sig"][4:]
    found = checked(boss, json.dumps(document).encode())["found"]
    assert found.word == "Not valid"


def test_a_receipt_whose_proof_is_still_to_come_is_shown_as_waiting(released, market, boss):
    make_checkpoint(size=1)
    receipt = Receipt.objects.get(kind="asset.registered", subject_id=str(market.asset.id))
    found = boss.get(page_url(receipt)).context["found"]
    assert (found.word, failing(found)) == ("Cannot be checked", [])
    assert "still to come" in found.sentence


@pytest.mark.parametrize("content", [b"", b"{}", b"not JSON", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_receipt_is_reported(content, checkpoint, boss):
    answer = boss.post(reverse(VERIFY), {"receipt": SimpleUploadedFile("x.json", content or b" ")})
    assert answer.status_code == 200
    assert answer.context["found"].word == "Cannot be checked"
    assert failing(answer.context["found"]) == ["The receipt can be read"]


def test_an_empty_form_an_empty_file_and_too_large_ones_are_reported_at_the_field(boss, monkeypatch):
    assert "receipt" in boss.post(reverse(VERIFY)).context["form"].errors
    empty = {"receipt": SimpleUploadedFile("x.json", b"")}
    assert "empty" in str(boss.post(reverse(VERIFY), empty).context["form"].errors["receipt"])
    monkeypatch.setattr("governance.console.forms.verification.MAX_RECEIPT_BYTES", 10)
    monkeypatch.setattr("governance.console.forms.verification.MAX_ARTIFACT_BYTES", 10)
    context = checked(boss, b"x" * 11, b"y" * 11)
    assert "11 B is more than the 10 B taken here" in str(context["form"].errors["receipt"])
    assert "on your own machine" in str(context["form"].errors["artifact"])
    assert context["found"] is None


def test_nothing_of_a_check_is_kept_or_recorded(upload, market, boss, private_data):
    content = saved(boss, upload)
    before = (OutboxEntry.objects.count(), sorted(path for path in private_data.rglob("*") if path.is_file()))
    checked(boss, content, picture(market))
    boss.get(page_url(upload))
    assert before == (OutboxEntry.objects.count(), sorted(path for path in private_data.rglob("*") if path.is_file()))


def test_receipts_are_found_by_their_ids(upload, boss):
    for term in (str(upload.pk), str(upload.entry_id), upload.subject_id, upload.envelope_sha256):
        found = boss.get(list_url(Receipt), {"q": term}).context["cl"].result_list
        assert upload in found, term
        assert len(found) < Receipt.objects.count()
    answer = boss.get(list_url(Receipt), {"kind": "asset.registered"})
    assert {row.kind for row in answer.context["cl"].result_list} == {"asset.registered"}


def test_a_receipt_says_that_its_entry_waits(upload, market, boss):
    market.submit(purpose="research")
    newest = Receipt.objects.order_by("-created_at").first()
    assert "Waiting" in boss.get(list_url(Receipt)).content.decode()
    assert boss.get(page_url(newest)).context["entry"] is None


def test_receipts_are_not_for_everybody(upload, person):
    nobody = person()
    for url in (
        reverse(VERIFY),
        reverse("admin:audit_receipt_trust"),
        reverse("admin:audit_receipt_file", args=[upload.pk]),
    ):
        assert nobody.get(url).status_code == 403
    auditor = person("Auditor")
    assert hashlib.sha256(saved(auditor, upload)).hexdigest()
    assert auditor.get(reverse(VERIFY)).status_code == 200


def test_a_reconciliation_names_each_fault_and_what_to_do(boss):
    fault = Fault("job:01997c3e-8f6b-7d5c-9a53-2f1d0c6e4b7a", "job_without_decision", "No decision.", "Restore it.")
    bad = make_report(fault, fault)
    answer = boss.get(page_url(bad))
    assert answer.context["by_check"] == [("job_without_decision", 2)]
    text = answer.content.decode()
    assert "Restore it." in text
    assert "/admin/jobs/job/01997c3e-8f6b-7d5c-9a53-2f1d0c6e4b7a/change/" in text
    assert "2 faults" in boss.get(list_url(ReconciliationReport)).content.decode()


def test_a_reconciliation_without_a_fault_says_so(boss):
    good = make_report()
    assert "Nothing is missing or unexplained" in boss.get(page_url(good)).content.decode()
    make_report(Fault("x", "y", "z", "w"))
    text = boss.get(list_url(ReconciliationReport)).content.decode()
    assert "Nothing is missing" in text
    assert "1 fault" in text


def test_the_trust_file_names_every_kind_of_statement_that_is_made(checkpoint):
    named = {(each["purpose"], predicate) for each in trust_document()["keys"] for predicate in each["predicates"]}
    made = set(Receipt.objects.values_list("predicate_type", flat=True))
    assert len(made) >= 5
    assert {("receipt", predicate) for predicate in made} <= named
    assert ("evidence", EvidenceRecord.objects.get().predicate_type) in named
