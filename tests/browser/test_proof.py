"""Proof in a real browser: an entry's way to the root, checkpoints and witnesses, receipts dropped on the page."""

import hashlib
import json
from pathlib import Path

import pytest
from django.urls import reverse

from governance.audit.log.log_reader import log_size
from governance.audit.models import Checkpoint, LedgerEntry, LogAlarm, Receipt
from governance.audit.types import Fault
from governance.catalog.objects import read_verified
from governance.console.presentation import list_url, page_url
from governance.console.verification import receipt_file
from tests.browser.conftest import keep
from tests.factories.audit import make_report
from tests.factories.checkpoints import TestWitness, make_checkpoint

FAULTS = (
    Fault(
        "job:01997c3e-8f6b-7d5c-9a53-2f1d0c6e4b7a",
        "release_without_evidence",
        "The job was released, and there is no evidence record of it.",
        "Find out who wrote the row; restore it from the last backup before, and keep a copy of both.",
    ),
    Fault(
        "asset:01997c3e-8f6b-7d5c-9a53-2f1d0c6e4b7b",
        "entry_missing",
        "The work is registered, and the log has no entry of it.",
        "Reconcile again in a minute; if it stays, treat the row as not recorded.",
    ),
)


@pytest.fixture
def log(story, settings):
    """Let there be two checkpoints, of which two of three witnesses cosigned the newest."""
    witnesses = [TestWitness(f"witness.example/{name}") for name in ("berlin", "lisbon", "oslo")]
    settings.ASSENT_WITNESSES = [witness.setting for witness in witnesses]
    settings.ASSENT_WITNESS_QUORUM = 2
    make_checkpoint(size=log_size() - 4)
    newest = make_checkpoint()
    for checkpoint in Checkpoint.objects.all():
        for witness in witnesses[:2]:
            witness.cosign(checkpoint)
    return newest


def addresses(log) -> dict[str, str]:
    return {
        "proof-dashboard": reverse("admin:index"),
        "proof-ledger": list_url(LedgerEntry),
        "proof-entry": page_url(LedgerEntry.objects.get(index=9)),
        "proof-checkpoints": list_url(Checkpoint),
        "proof-checkpoint": page_url(log),
        "proof-receipts": list_url(Receipt),
        "proof-receipt": page_url(Receipt.objects.filter(kind="decision.recorded").last()),
        "proof-verify": reverse("admin:audit_receipt_verify"),
        "proof-reconciliations": list_url(type(make_report())),
        "proof-reconciliation": page_url(make_report(*FAULTS)),
    }


@pytest.mark.parametrize("width", [1440, 800])
def test_the_pages_of_proof_are_kept_as_pictures(width, console, log):
    console.set_viewport_size({"width": width, "height": 1000})
    for name, address in addresses(log).items():
        console.goto(address)
        assert keep(console, f"{name}-{width}").stat().st_size > 0


def test_the_pages_of_proof_are_kept_in_the_dark(console, log):
    console.emulate_media(color_scheme="dark")
    for name, address in addresses(log).items():
        console.goto(address)
        assert keep(console, f"{name}-dark").stat().st_size > 0


def test_an_alarm_is_seen_wherever_one_is(console, log):
    alarm = LogAlarm.objects.create(
        code="log_forked",
        message="Entry 12 under checkpoint 2 is not the entry 12 that the database holds.",
        details={"checkpoint": 2, "size": log.size},
    )
    for name, address in {"dashboard": reverse("admin:index"), "list": list_url(Checkpoint)}.items():
        console.goto(address)
        console.wait_for_selector("text=The transparency log has stopped")
        keep(console, f"proof-alarm-{name}")
    console.click("text=Look at the alarm")
    console.wait_for_selector("text=What to do")
    assert console.url.endswith(page_url(alarm))
    keep(console, "proof-alarm")


def test_an_entry_is_proven_down_to_every_hash(console, log):
    entry = LedgerEntry.objects.get(index=9)
    console.goto(page_url(entry))
    console.wait_for_selector("#proof >> text=Proven")
    console.click("text=Every hashing from the leaf to the root")
    assert bytes(log.root_hash).hex() in console.locator("#proof table").inner_text()
    console.locator("#proof").scroll_into_view_if_needed()
    keep(console, "proof-entry-path")
    with console.expect_download() as download:
        console.click("text=Download the bytes")
    content = Path(download.value.path()).read_bytes()
    assert hashlib.sha256(b"\x00" + content).digest() == bytes(entry.leaf_hash)
    console.click("tr[aria-current] + tr a.as-link >> nth=0")
    console.wait_for_url(f"**{page_url(LedgerEntry.objects.get(index=10))}")


def save(console, receipt: Receipt, folder: Path) -> Path:
    console.goto(page_url(receipt))
    with console.expect_download() as download:
        console.click("text=Download the receipt")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_receipt_and_its_work_are_dropped_and_judged(console, log, story, tmp_path):
    receipt = Receipt.objects.get(kind="asset.registered", subject_id=str(story.asset.id))
    file = save(console, receipt, tmp_path)
    work = tmp_path / "sunset.png"
    work.write_bytes(read_verified(story.asset.object_name, story.asset.sha256))
    console.goto(reverse("admin:audit_receipt_verify"))
    console.set_input_files("#id_receipt", file)
    console.set_input_files("#id_artifact", work)
    assert file.name in console.locator("#field-receipt").inner_text()
    keep(console, "proof-verify-filled")
    console.click("button:has-text('Check')")
    console.wait_for_selector("#verdict >> text=Valid")
    keep(console, "proof-verify-valid")
    work.write_bytes(work.read_bytes() + b"\0")
    console.set_input_files("#id_receipt", file)
    console.set_input_files("#id_artifact", work)
    console.click("button:has-text('Check')")
    console.wait_for_selector("#verdict >> text=Not valid")
    keep(console, "proof-verify-refused")


def test_a_file_is_taken_by_dragging_it_onto_the_box(console, log):
    console.goto(reverse("admin:audit_receipt_verify"))
    content = json.dumps({"format": "something else"})
    transfer = console.evaluate_handle(
        """content => { const transfer = new DataTransfer();
        transfer.items.add(new File([content], "dropped.json")); return transfer; }""",
        content,
    )
    console.evaluate(
        """transfer => { const input = document.querySelector("#id_receipt");
        input.files = transfer.files; input.dispatchEvent(new Event("change")); }""",
        transfer,
    )
    console.wait_for_selector("text=dropped.json")
    console.click("button:has-text('Check')")
    console.wait_for_selector("#verdict >> text=Cannot be checked")
    keep(console, "proof-verify-unusable")


def test_anybody_checks_a_receipt_and_the_file_stays_in_the_browser(page, log, story, tmp_path):
    receipt = Receipt.objects.get(kind="asset.registered", subject_id=str(story.asset.id))
    file, work = tmp_path / "receipt.json", tmp_path / "sunset.png"
    file.write_bytes(receipt_file(receipt))
    work.write_bytes(read_verified(story.asset.object_name, story.asset.sha256))
    bodies: list[bytes] = []
    page.on("request", lambda request: bodies.append(request.post_data_buffer or b""))
    page.goto("/admin/login/")
    page.click("text=Check a receipt")
    page.wait_for_url("**/verify")
    keep(page, "public-verify-1440")
    page.set_input_files("#id_artifact", work)
    page.wait_for_selector(f"text=SHA-256 {story.asset.sha256}")
    page.set_input_files("#id_receipt", file)
    page.click("button:has-text('Check')")
    page.wait_for_selector("#verdict >> text=Valid")
    assert "byte for byte" in page.locator("#verdict").inner_text()
    assert not any(work.read_bytes() in body for body in bodies)
    keep(page, "public-verify-valid-1440")
    page.set_viewport_size({"width": 800, "height": 1000})
    keep(page, "public-verify-valid-800")
