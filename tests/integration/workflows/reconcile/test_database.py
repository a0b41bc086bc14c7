"""Each thing is broken behind the application's back, as the tables' owner can; exactly that fault must be named."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction

from governance.audit.recording.reconciling import checks, kept_subjects
from governance.audit.recording.states import recorded_objects
from governance.audit.tally import Tally
from governance.audit.types import Fault
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.workflows.reconcile.run import database_faults
from tests.factories.history import History

pytestmark = pytest.mark.django_db

_GUARDED = "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE tgfoid = 'assent_refuse_change'::regproc"


def faults_after(*statements: str, **given: object) -> list[Fault]:
    """Return the faults that are found once somebody has run these statements; nothing of it stays."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_GUARDED)
            for (table,) in cursor.fetchall():
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            for statement in statements:
                cursor.execute(statement.format(**given))
        found = list(database_faults(Tally()))
        transaction.set_rollback(True)
    return found


def codes(faults: list[Fault]) -> list[str]:
    return sorted({fault.check for fault in faults})


@pytest.fixture
def ids(history: History) -> dict[str, object]:
    return {
        "released": history.released.id,
        "denied": history.denied.id,
        "cancelled": history.cancelled.id,
        "running": history.running.id,
        "withdrawn": history.withdrawn.id,
        "erased": history.erased.id,
        "creator": history.market.creator.id,
        "asset": history.market.asset.id,
        "level": history.market.level.id,
        "draft": history.draft.id,
    }


def test_history_that_is_whole_has_no_fault(history: History) -> None:
    tally = Tally()

    assert list(database_faults(tally)) == []
    assert tally.checked["checks"] == len(checks())
    assert tally.checked["facts"] > 5


OF = "subject_type = 'job' AND subject_id = '{released}'"
GRANT = (
    "kind, creator_id, asset_id, level_id, level_version_id, regions, partners_allowed, partners_excluded, valid_from,"
    " valid_until, method, evidence_digest, recorded_by_type, recorded_by_id, created_at"
)
#: What was done, which checks name it (and no others), and what the first of them says.
CHANGED = [
    # a row says otherwise than the log
    ("UPDATE decisions_decisionrecord SET effect = 'permit' WHERE job_id = '{denied}'",
     ["decision_differs", "decision_inconsistent"], "effect"),
    ("UPDATE decisions_decisionrecord SET kind = 'release' WHERE kind = 'permit' AND job_id = '{running}'",
     ["decision_differs", "permit_without_decision"], "kind"),
    ("UPDATE decisions_decisionrecord SET reason_codes = ARRAY['x'] WHERE job_id = '{denied}'",
     ["decision_differs", "decision_inconsistent"], "reason_codes"),
    ("UPDATE decisions_decisionrecord SET facts_digest = repeat('0', 64) WHERE job_id = '{denied}'",
     ["decision_differs", "decision_facts"], "facts_digest"),
    ("UPDATE decisions_decisionrecord SET revision_digest = '', engine = 'none' WHERE job_id = '{denied}'",
     ["decision_differs"], "revision_digest, engine"),
    ("UPDATE decisions_decisionrecord SET evaluations = '[{{\"facts\": {{}}}}]' WHERE job_id = '{denied}'",
     ["decision_facts"], "evaluations"),
    ("UPDATE decisions_decisionrecord SET evaluations = '7' WHERE job_id = '{denied}'",
     ["decision_facts"], "evaluations"),
    (("UPDATE decisions_decisionrecord SET obligations = '[]', partner = 'other' WHERE job_id = '{released}'"
     " AND kind = 'release'"), ["decision_receipt_differs"], "partner, obligations|partner"),
    ("UPDATE decisions_decisionrecord SET reasons = '[]' WHERE job_id = '{denied}'", ["decision_inconsistent"],
     "others than its reason codes"),
    ("UPDATE decisions_decisionrecord SET reasons = '7' WHERE job_id = '{denied}'", ["decision_inconsistent"],
     "others than its reason codes"),
    (("UPDATE decisions_decisionrecord SET evaluations = jsonb_set(evaluations, '{{0,effect}}', '\"deny\"')"
     " WHERE job_id = '{released}' AND kind = 'release'"), ["decision_inconsistent"], "one of its evaluations denies"),
    ("UPDATE decisions_permit SET expires_at = expires_at + interval '1 day' WHERE job_id = '{released}'",
     ["permit_differs"], "expires_at"),
    ("UPDATE moderation_moderationverdict SET score = 0.99 WHERE job_id = '{released}' AND stage = 'input'",
     ["verdict_differs"], "score"),
    ("UPDATE jobs_jobevent SET actor_id = 'somebody' WHERE job_id = '{released}' AND to_state = 'released'",
     ["event_differs"], "actor"),
    ("UPDATE jobs_jobevent SET reason_code = 'none' WHERE job_id = '{denied}'", ["event_differs"], "reason_code"),
    ("UPDATE jobs_job SET request_digest = repeat('0', 64) WHERE id = '{released}'",
     ["request_differs"], "request_digest"),
    ("UPDATE jobs_job SET token_id = token_id + 1, token_issued_at = now() WHERE id = '{running}'",
     ["request_differs"], "token_id, token_issued_at"),
    ("UPDATE jobs_job SET cancel_requested = true WHERE id = '{running}'", ["cancel_request_unrecorded"], "no entry"),
    ("UPDATE jobs_joboutput SET sha256 = repeat('0', 64) WHERE job_id = '{released}'", ["output_differs"], "sha256"),
    (f"UPDATE audit_evidencerecord SET key_id = 'other' WHERE {OF}", ["evidence_differs"], "key_id"),
    (f"UPDATE audit_wormreference SET retain_until = now(), mode = 'none' WHERE {OF}",
     ["reference_differs"], "mode, retain_until"),
    ("UPDATE catalog_consentgrant SET regions = ARRAY['FR'] WHERE creator_id = '{creator}'",
     ["consent_grant_differs"], "regions"),
    (("UPDATE catalog_consentgrant SET recorded_by_id = 'ada', method = 'contract', valid_until = now() + '1 day'"
     " WHERE creator_id = '{creator}'"), ["consent_grant_differs"], "valid_until, method, recorded_by"),
    (("UPDATE catalog_consentgrant SET method = 'contract' WHERE kind = 'withdrawal' AND asset_id IS NULL"
     " AND creator_id = '{withdrawn}'"), ["consent_withdrawal_differs"], "method"),
    ("UPDATE catalog_asset SET sha256 = repeat('0', 64) WHERE id = '{asset}'", ["asset_differs"], "sha256"),
    ("UPDATE registry_modelversion SET artifact_sha256 = repeat('0', 64)", ["model_version_differs"],
     "artifact_sha256"),
    ("UPDATE catalog_consentlevelversion SET rank = 9 WHERE level_id = '{level}'",
     ["consent_level_differs", "consent_level_version_differs"], "rank"),
    ("UPDATE catalog_consentlevelversion SET effective = '{{}}' WHERE level_id = '{level}'",
     ["consent_level_effective"], "something else"),
    ("UPDATE catalog_consentlevelproposal SET decided_by = 'user:9' WHERE slug = 'commercial'",
     ["consent_level_proposal_differs"], "decided_by"),
    ("UPDATE registry_modellicenceproposal SET decided_by = 'user:9'", ["model_licence_proposal_differs"],
     "decided_by"),
    ("UPDATE rulebook_policyrevision SET content = content || ' ' WHERE number = 1", ["revision_differs"], "content"),
    (("UPDATE rulebook_policyactivation SET activated_by = 'user:1', kind = 'rollback'"
     " WHERE id = (SELECT max(id) FROM rulebook_policyactivation)"), ["activation_differs"], "kind, activated_by"),
    ("UPDATE rulebook_revisionanchor SET version_id = 'x' WHERE id = (SELECT max(id) FROM rulebook_revisionanchor)",
     ["archived_revision_differs"], "version_id"),
    ("UPDATE rulebook_draftevent SET person = 'user:901' WHERE step = 'approved'",
     ["approval_differs", "draft_step_differs"], "approved_by"),
    ("UPDATE rulebook_policydraft SET approved_by = 'user:1'", ["approval_differs"], "approved_by"),
    ("UPDATE rulebook_policyfreeze SET lift_asked_by = 'user:1'", ["freeze_lift_differs"], "lift_asked_by"),
    ("UPDATE rulebook_policyfreeze SET reason = 'None.'", ["freeze_differs"], "reason"),
    ("UPDATE audit_receipt SET envelope = '{{}}' WHERE kind = 'revision.activated'", ["receipt_differs"], "envelope"),
    ("UPDATE audit_legalhold SET reason = 'None.', set_by = 'user:1'", ["hold_differs"], "set_by, reason"),
    ("UPDATE audit_legalhold SET release_asked_by = 'user:1'", ["hold_release_differs"], "release_asked_by"),
    # something was added without an entry
    (("INSERT INTO rulebook_policyactivation (revision_id, kind, reason, activated_by, activated_at)"
     " SELECT id, 'rollback', '', 'user:1', now() FROM rulebook_policyrevision WHERE number = 1"),
     ["activation_unrecorded"], "no entry"),
    ((f"INSERT INTO catalog_consentgrant (id, epoch, {GRANT}) SELECT gen_random_uuid(), epoch + 100, {GRANT}"
     " FROM catalog_consentgrant WHERE creator_id = '{creator}'"),
     ["consent_epoch", "consent_grant_unrecorded"], "before that of its newest statement"),
    (("DELETE FROM audit_ledgerentry WHERE kind = 'decision.recorded' AND subject_id IN"
     " (SELECT id::text FROM decisions_decisionrecord WHERE job_id = '{denied}')"),
     ["decision_unrecorded", "receipt_unrecorded"], "no entry"),
    ("DELETE FROM audit_ledgerentry WHERE kind = 'job.released'", ["event_unrecorded"], "no entry"),
    ("DELETE FROM audit_ledgerentry WHERE kind = 'permit.redeemed'", ["permit_use_unrecorded"], "no entry"),
    ("DELETE FROM audit_ledgerentry WHERE kind = 'consent.withdrawn' AND subject_id = '{withdrawn}'",
     ["consent_withdrawal_unrecorded", "receipt_unrecorded"], "no entry"),
    ("DELETE FROM audit_ledgerentry WHERE kind = 'evidence.issued' AND subject_id = '{released}'",
     ["evidence_unrecorded"], "no entry"),
    ("DELETE FROM audit_ledgerentry WHERE kind = 'creator.erased'",
     ["creator_differs", "erasure_unrecorded", "receipt_unrecorded"], "no entry"),
    # something that the log tells of is gone
    ("DELETE FROM audit_receipt WHERE kind = 'revision.activated'", ["receipt_removed"], "records it"),
    ("DELETE FROM jobs_jobevent WHERE job_id = '{released}' AND to_state = 'sealing'", ["event_removed"],
     "records it"),
    ("DELETE FROM jobs_jobevent WHERE job_id = '{released}' AND to_state = 'released'",
     ["event_removed", "job_state"], "records it"),
    ("DELETE FROM moderation_moderationverdict WHERE job_id = '{released}'", ["verdict_removed"], "records it"),
    ("DELETE FROM catalog_consentgrant WHERE creator_id = '{withdrawn}' AND kind = 'withdrawal'",
     ["consent_withdrawal_removed"], "records it"),
    ("DELETE FROM rulebook_draftevent WHERE step = 'replayed'", ["draft_step_differs", "draft_step_removed"], "step"),
    ("DELETE FROM rulebook_policyfreeze", ["freeze_lift_removed", "freeze_removed", "subject_removed"], "records it"),
    (("DELETE FROM audit_wormreference WHERE kind = 'policy' AND subject_id ="
     " (SELECT digest FROM rulebook_policyrevision WHERE number = 1)"), ["active_not_archived"], "not in WORM"),
    ("DELETE FROM audit_legalhold", ["hold_release_removed", "hold_removed"], "records it"),
    # jobs, runs and releases
    ("UPDATE jobs_job SET admission_id = (SELECT release_decision_id FROM jobs_joboutput) WHERE id = '{released}'",
     ["job_not_admitted"], "no admission decision"),
    ("UPDATE decisions_decisionrecord SET effect = 'deny' WHERE job_id = '{released}' AND kind = 'admission'",
     ["decision_differs", "job_against_admission"], "its admission was a deny"),
    ("UPDATE decisions_decisionrecord SET kind = 'admission' WHERE job_id = '{released}' AND kind = 'release'",
     ["decision_differs", "job_admitted_twice", "release_without_decision"], "kind"),
    ("UPDATE decisions_permit SET redeemed_at = NULL WHERE job_id = '{released}'",
     ["permit_use_removed", "run_without_permit"], "records it"),
    ("UPDATE decisions_permit SET fencing_token = 77 WHERE job_id = '{released}'",
     ["permit_without_run", "run_without_permit"], "never ran"),
    ("DELETE FROM jobs_outputcandidate WHERE job_id = '{running}'", ["run_without_result"], "without a result"),
    ("DELETE FROM jobs_outputcandidate WHERE job_id = '{released}'", ["release_without_run", "run_without_result"],
     "no run"),
    ("DELETE FROM jobs_joboutput WHERE job_id = '{released}'", ["release_without_decision"],
     "release decision"),
    ("UPDATE jobs_job SET state = 'failed' WHERE id = '{released}'",
     ["end_without_evidence", "job_state", "output_of_unreleased_job"], "without evidence"),
    ("UPDATE jobs_job SET state = 'queued', finished_at = NULL WHERE id = '{cancelled}'",
     ["evidence_without_end", "job_state"], "knows no such end"),
    (f"DELETE FROM audit_wormreference WHERE {OF}", ["reference_removed", "release_not_in_worm"], "records it"),
    # people
    ("INSERT INTO audit_commitmentsalt SELECT gen_random_uuid(), 'creator', '{erased}', 'email', '\\x00', now()",
     ["erasure_incomplete"], "still there"),
    (("INSERT INTO audit_commitmentsalt SELECT gen_random_uuid(), 'asset', id::text, 'status_reason', '\\x00', now()"
      " FROM catalog_asset WHERE creator_id = '{erased}'"), ["erasure_incomplete"], "still there"),
    ("UPDATE catalog_creator SET display_name = 'Somebody' WHERE id = '{withdrawn}'", ["creator_differs"],
     "display_name"),
    ("UPDATE catalog_creator SET region = 'US' WHERE id = '{withdrawn}'", ["creator_differs"], "region"),
    ("UPDATE catalog_asset SET title = 'Another' WHERE creator_id = '{withdrawn}'", ["asset_differs"], "title"),
    ("UPDATE catalog_asset SET status = 'quarantined' WHERE creator_id = '{withdrawn}'", ["asset_differs"], "status"),
    # models
    ("UPDATE registry_model SET owner = 'somebody'", ["model_differs"], "owner"),
    ("UPDATE registry_modelversion SET stage = 'staging'", ["model_version_differs"], "stage"),
    ("DELETE FROM registry_modelalias", ["model_differs"], "aliases"),
    ("UPDATE catalog_creator SET consent_epoch = 0 WHERE id = '{withdrawn}'", ["consent_epoch"], "newest statement"),
    # the log
    (("INSERT INTO audit_outboxentry (entry_id, kind, subject_type, subject_id, actor_type, actor_id, occurred_at,"
     " body) SELECT gen_random_uuid(), 'job.released', 'job', 'no-such-job', actor_type, actor_id, occurred_at, body"
     " FROM audit_ledgerentry WHERE kind = 'job.released'"), ["event_removed", "subject_removed"], "records it"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "expected", "says"), CHANGED)
def test_change_without_the_application_is_named(
    ids: dict[str, object], statement: str, expected: list[str], says: str
) -> None:
    # A decision may be an admission once only: the intruder removes what stands in the way.
    faults = faults_after("DROP INDEX decision_one_admission_per_job", statement, **ids)

    assert codes(faults) == expected
    assert any(part in fault.message for fault in faults for part in says.split("|"))
    assert all(fault.remedy for fault in faults)
    assert all(fault.subject for fault in faults)


def test_fault_names_the_entry(ids: dict[str, object], history: History) -> None:
    (fault,) = faults_after("UPDATE decisions_decisionrecord SET engine = 'none' WHERE job_id = '{denied}'", **ids)

    assert fault.subject == f"decision {history.denied.admission_id}"
    assert fault.message.startswith("Ledger entry #")
    assert fault.message.endswith(" differs in: engine.")


def test_removed_job_is_named_from_every_side(ids: dict[str, object]) -> None:
    faults = faults_after("DELETE FROM jobs_jobevent WHERE job_id = '{cancelled}'",
                          "DELETE FROM jobs_jobinput WHERE job_id = '{cancelled}'",
                          "DELETE FROM jobs_job WHERE id = '{cancelled}'", **ids)  # fmt: skip

    assert codes(faults) == ["decision_without_job", "event_removed", "evidence_without_end", "subject_removed"]


DELETED_ONCE = """
    INSERT INTO audit_ledgerentry (index, entry_id, kind, subject_type, subject_id, actor_type, actor_id, occurred_at,
        sequenced_at, body, leaf_hash)
    SELECT {index}, gen_random_uuid(), 'licence.deleted', 'licence', gen_random_uuid()::text, actor_type, actor_id,
        occurred_at, sequenced_at, body, leaf_hash FROM audit_ledgerentry LIMIT 1
"""


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(("index", "expected"), [(-1, []), (1_000_000, ["subject_removed"])])
def test_what_a_version_before_deleted_is_not_missed(index: int, expected: list[str]) -> None:
    """A kind that is retired counts only before the entries of the upgrade, at which nothing records it any more."""
    lifted = "ALTER TABLE audit_ledgerentry DROP CONSTRAINT ledger_index_not_negative"

    upgraded = "UPDATE audit_ledgerentry SET kind = 'retention.adopted' WHERE kind = 'retention.added'"

    assert codes(faults_after(lifted, upgraded, DELETED_ONCE, index=index)) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [("{{", ["decision_differs", "receipt_unrecorded"]), ("\\xff", ["check_failed"])],
)
def test_entry_whose_bytes_are_no_json_is_a_fault_of_what_it_recorded(
    ids: dict[str, object], body: str, expected: list[str]
) -> None:
    faults = faults_after(
        f"UPDATE audit_ledgerentry SET body = '{body}' WHERE kind = 'decision.recorded' AND subject_id ="
        " (SELECT admission_id::text FROM jobs_job WHERE id = '{denied}')",
        **ids,
    )

    assert codes(faults) == expected


def test_question_that_cannot_be_asked_is_a_fault_and_the_others_are_asked(ids: dict[str, object]) -> None:
    body = """convert_to(replace(convert_from(body, 'UTF8'), '"number":1', '"number":"one"'), 'UTF8')"""
    faults = faults_after(
        f"UPDATE audit_ledgerentry SET body = {body} WHERE kind = 'revision.published'",
        "UPDATE rulebook_policyfreeze SET reason = 'None.'",
        **ids,
    )

    assert codes(faults) == ["check_failed", "freeze_differs"]
    assert "revision_differs" in faults[0].message or "revision_differs" in faults[1].message


# publication


CHECKPOINT = """
    INSERT INTO audit_wormreference (id, kind, subject_type, subject_id, uri, version_id, sha256, size, mode,
        retain_until, retention_class, stored_at)
    VALUES ('{reference}', 'checkpoint', 'log', 'log', 'x:{number}', '1', '', 1, 'none', now(), '', now());
    INSERT INTO audit_checkpoint (origin, number, size, root_hash, note, key_id, reference_id, created_at)
    SELECT 'log', {number}, size, {root}, '', '', '{reference}', now() FROM audit_treehead ORDER BY size DESC LIMIT 1
"""
REFERENCE = "0190b6a0-0000-7000-8000-00000000000{number}"


def checkpoint(number: int, root: str = "root_hash") -> str:
    return CHECKPOINT.format(number=number, root=root, reference=REFERENCE.format(number=number))


@pytest.fixture
def hours_later() -> Callable[..., list[Fault]]:
    def look(*statements: str) -> list[Fault]:
        with clock.using(ManualClock(clock.now() + timedelta(hours=3))):
            return faults_after(*statements)

    return look


def test_release_that_no_checkpoint_covers_is_named_after_a_while(
    history: History, hours_later: Callable[..., list[Fault]]
) -> None:
    (fault,) = hours_later()

    assert (fault.check, fault.subject) == ("release_not_published", f"job {history.released.id}")
    assert "beyond the newest checkpoint, of 0 entries" in fault.message
    assert hours_later(checkpoint(1)) == []


@pytest.mark.usefixtures("history")
def test_release_without_a_place_is_named_after_a_while(hours_later: Callable[..., list[Fault]]) -> None:
    columns = "entry_id, kind, subject_type, subject_id, actor_type, actor_id, occurred_at, body"
    faults = hours_later(
        checkpoint(1),
        f"INSERT INTO audit_outboxentry ({columns}) SELECT {columns} FROM audit_ledgerentry"
        " WHERE kind = 'job.released'",
        "DELETE FROM audit_ledgerentry WHERE kind = 'job.released'",
    )

    assert [fault.check for fault in faults] == ["release_not_published"]
    assert faults[0].message.endswith("has no place in the log.")


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([checkpoint(2)], "checkpoint_number_missing"),
        ([checkpoint(1, root="'\\x00'")], "checkpoint_differs"),
        ([checkpoint(1), "DELETE FROM audit_treehead"], "checkpoint_differs"),
    ],
)
def test_checkpoint_that_does_not_fit_is_named(history: History, statements: list[str], expected: str) -> None:
    assert codes(faults_after(*statements)) == [expected]


def test_every_kind_of_subject_that_the_log_names_can_be_looked_up(history: History) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT subject_type FROM audit_ledgerentry")
        named = {row[0] for row in cursor.fetchall()}

    without_table = {"client", "model", "replay", "rule", "checkpoint", "key", "token"}
    assert named - without_table - recorded_objects().keys() <= kept_subjects()
    assert kept_subjects() <= named
    assert {code for each in checks() for code in each.remedies}.isdisjoint({"check_failed"})


def test_states_hold_the_name_of_every_object_that_has_one(history: History) -> None:
    named = [
        (described.slug(row), described.name_in(described.state(row)))
        for described in recorded_objects().values()
        for row in described.rows()
        if described.slug(row) != described.key(row)
    ]

    assert len(named) > 3
    assert [slug for slug, _ in named] == [name for _, name in named]
