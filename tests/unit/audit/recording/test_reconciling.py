"""What areas declare of reconciliation, and what it says of kinds of entries."""

from datetime import UTC, datetime

from governance.audit.recording.reconciling import (
    Check,
    CheckAsOf,
    Coverage,
    Pairing,
    checks,
    counted_models,
    coverage_of,
    entries_where,
    kept_subjects,
    one_of,
)
from governance.catalog.entries import ConsentGranted
from governance.kernel import clock
from governance.kernel.clock import ManualClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_kinds_become_a_condition() -> None:
    assert one_of("a.b", ConsentGranted) == "kind IN ('a.b', 'consent.granted')"


def test_both_places_of_entries_are_read() -> None:
    assert entries_where("true").count("WHERE true") == 2


def test_a_pairing_says_which_kinds_and_fields_it_covers() -> None:
    pairing = Pairing(
        code="thing",
        noun="thing",
        rows="SELECT 1",
        entries=(ConsentGranted, "thing.made"),
        key="e.subject_id",
        differs={"size": ("r.size", "e.size")},
    ).check()

    assert (pairing.kinds, pairing.noun, pairing.fields) == ((ConsentGranted, "thing.made"), "thing", ("size",))
    assert set(pairing.remedies) == {"thing_unrecorded", "thing_removed", "thing_differs"}


def test_a_check_as_of_now_is_built_when_it_is_asked() -> None:
    question = CheckAsOf(lambda now: Check(sql=f"SELECT '{now.isoformat()}'", remedies={}))

    with clock.using(ManualClock(NOON)):
        assert question.check().sql == "SELECT '2026-03-01T12:00:00+00:00'"


def test_coverage_names_rows_and_fields_that_a_kind_must_match() -> None:
    assert Coverage("permit", ("job_id", "decision_id", "expires_at")) in coverage_of("permit.issued")
    assert [each.noun for each in coverage_of("consent.granted")] == ["receipt of entry", "consent grant"]
    assert [each.noun for each in coverage_of("draft.approved")] == ["step of policy draft"]
    assert coverage_of("nothing.such") == ()


def test_every_area_declared_its_part() -> None:
    areas = {model._meta.app_label for model in counted_models().values()}

    assert areas == {"audit", "catalog", "decisions", "jobs", "rulebook"}
    assert {"job", "decision", "asset", "model_version", "revision", "worm"} <= kept_subjects()
    assert len({code for each in checks() for code in each.remedies}) > 40
