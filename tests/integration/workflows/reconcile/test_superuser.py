"""A superuser edits history behind the application's back: the entry, or row, and the field are named."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from governance.audit.ports import worm_store
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.audit.tally import Tally
from governance.audit.types import Fault
from governance.audit.verification import verify_all
from governance.workflows.reconcile.run import database_faults, snapshot
from tests.factories.history import make_history
from tests.intruder import as_superuser

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def history(transactional_db: None, tmp_path: Path) -> Iterable[None]:
    with worm_store.override(FilesystemWormStore(tmp_path / "worm")):
        make_history()
        yield


def verified() -> list[Fault]:
    return list(verify_all().faults)


def reconciled() -> list[Fault]:
    with snapshot():
        return list(database_faults(Tally()))


FIRST = "WHERE index = (SELECT min(index) FROM audit_ledgerentry WHERE kind = 'decision.recorded')"
TAMPERED = [
    # the ledger: each column that is searched by, the bytes, the hash
    (verified, f"UPDATE audit_ledgerentry SET kind = 'decision.denied' {FIRST}", "ledger entry #", "kind"),
    (verified, f"UPDATE audit_ledgerentry SET subject_type = 'job' {FIRST}", "ledger entry #", "subject_type"),
    (verified, f"UPDATE audit_ledgerentry SET subject_id = 'x' {FIRST}", "ledger entry #", "subject_id"),
    (verified, f"UPDATE audit_ledgerentry SET actor_type = 'user' {FIRST}", "ledger entry #", "actor_type"),
    (verified, f"UPDATE audit_ledgerentry SET actor_id = 'x' {FIRST}", "ledger entry #", "actor_id"),
    (verified, f"UPDATE audit_ledgerentry SET occurred_at = now() {FIRST}", "ledger entry #", "occurred_at"),
    (verified, f"UPDATE audit_ledgerentry SET entry_id = gen_random_uuid() {FIRST}", "ledger entry #", "entry_id"),
    (verified, f"UPDATE audit_ledgerentry SET body = body || ' ' {FIRST}", "ledger entry #", "leaf hash"),
    (verified, f"DELETE FROM audit_ledgerentry {FIRST}", "ledger entry #", "missing"),
    # decisions
    (reconciled, "UPDATE decisions_decisionrecord SET effect = 'permit' WHERE effect = 'deny'", "decision ", "effect"),
    (reconciled, "UPDATE decisions_decisionrecord SET reason_codes = '{}' WHERE effect = 'deny'", "decision ",
     "reason_codes"),
    (reconciled, "UPDATE decisions_decisionrecord SET evaluations = '[]' WHERE effect = 'deny'", "decision ",
     "evaluations"),
    # consent
    (reconciled, "UPDATE catalog_consentgrant SET valid_until = now() + interval '9 years' WHERE kind = 'grant'",
     "consent grant ", "valid_until"),
    (reconciled, "UPDATE catalog_consentgrant SET partners_allowed = '{mallory}' WHERE kind = 'grant'",
     "consent grant ", "partners_allowed"),
    # evidence and its references
    (verified, "UPDATE audit_wormreference SET retain_until = now() WHERE kind = 'evidence'", "WORM reference ",
     "retain_until"),
    (verified, "UPDATE audit_wormreference SET sha256 = repeat('0', 64) WHERE kind = 'policy'", "WORM object ",
     "sha256"),
    (reconciled, "UPDATE audit_wormreference SET version_id = 'x' WHERE kind = 'evidence'",
     "WORM reference of evidence ", "version_id"),
    (reconciled, "UPDATE audit_evidencerecord SET outcome = 'released' WHERE outcome = 'denied'", "evidence ",
     "outcome"),
    # approvals
    (reconciled, "UPDATE rulebook_draftevent SET person = 'user:999' WHERE step = 'approved'",
     "step of policy draft ", "person"),
    (reconciled, "UPDATE rulebook_policydraft SET approved_by = 'user:999'", "policy draft ", "approved_by"),
    (reconciled, "UPDATE rulebook_policyfreeze SET lifted_by = 'user:999'", "lift of policy freeze ", "lifted_by"),
]  # fmt: skip


@pytest.mark.parametrize(("look", "statement", "subject", "field"), TAMPERED)
def test_what_a_superuser_changes_is_named_with_its_field(
    look: Callable[[], list[Fault]], statement: str, subject: str, field: str
) -> None:
    assert look() == []

    assert as_superuser(statement) > 0

    assert any(fault.subject.startswith(subject) and field in fault.message for fault in look())
