import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from governance.audit.evidence.anchoring import anchor_evidence
from governance.audit.log.sequencer import sequence_pending
from governance.audit.models import EvidenceRecord
from governance.keys.ring import KeyRing, key_ring
from tests.factories.audit import issued_evidence
from tests.factories.keys import MemoryKeyStore

pytestmark = pytest.mark.django_db


@pytest.fixture
def evidence() -> EvidenceRecord:
    evidence = issued_evidence()
    anchor_evidence(evidence_id=evidence.id)
    sequence_pending()
    return evidence


def run(*arguments: str) -> tuple[str, str, int]:
    """Return standard output, standard error and exit code."""
    out, err = StringIO(), StringIO()
    try:
        call_command("verify_evidence", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), err.getvalue() + str(error), error.returncode
    return out.getvalue(), err.getvalue(), 0


def alter_file(worm_root: Path) -> Path:
    (path,) = (each for each in (worm_root / "objects").rglob("*.json"))
    path.chmod(0o644)
    path.write_text(path.read_text() + " ")
    return path


def test_intact_records_are_valid(evidence: EvidenceRecord) -> None:
    out, err, code = run()

    assert code == 0
    assert "       2  ledger entries" in out
    assert "Everything is valid." in out
    assert "ledger entries: 2 of 2" in err


def test_altered_file_is_named_with_what_to_do(evidence: EvidenceRecord, worm_root: Path) -> None:
    path = alter_file(worm_root)

    out, err, code = run()

    assert code == 1
    assert "Fault 1: worm_object_altered" in out
    assert f"what   {path} was altered" in out
    assert "to do  The stored file was changed. Restore it" in out
    assert err.endswith("1 fault found.")


def test_json_is_one_object(evidence: EvidenceRecord, worm_root: Path) -> None:
    out, _, code = run("--json")
    assert code == 0
    assert json.loads(out)["ok"] is True

    alter_file(worm_root)
    out, _, code = run("--json")
    document = json.loads(out)

    assert code == 1
    assert document["ok"] is False
    assert document["checked"]["worm_objects"] == 1
    assert [set(each) for each in document["faults"]] == [{"subject", "check", "message", "remedy"}]


def test_one_subject(evidence: EvidenceRecord) -> None:
    issued_evidence()

    out, _, code = run("--subject", f"job:{evidence.subject_id}", "--json")

    assert code == 0
    assert json.loads(out)["checked"]["evidence_records"] == 1


def test_subject_of_which_nothing_is_known_cannot_be_checked(evidence: EvidenceRecord) -> None:
    _, err, code = run("--subject", "job:none")

    assert (err, code) == ("Nothing is recorded about job:none.", 2)


@pytest.mark.parametrize("text", ["job", "job:", ":1", ""])
def test_subject_of_another_form_cannot_be_checked(text: str) -> None:
    _, err, code = run("--subject", text)

    assert code != 0
    assert "not of the form TYPE:ID" in err


def test_without_a_database_it_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(**_: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("governance.operations.management.commands.verify_evidence.verify_all", gone)

    assert run()[1:] == ("Cannot verify: connection refused", 2)


def test_without_keys_every_signature_is_a_fault(evidence: EvidenceRecord) -> None:
    with key_ring.override(KeyRing(MemoryKeyStore())):
        out, _, code = run()

    assert code == 1
    assert "evidence_signature" in out
    assert "restore the key store" in out
