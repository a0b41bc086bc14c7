import pytest

from governance.audit.evidence.anchoring import anchor_evidence
from governance.audit.log.sequencer import sequence_pending
from governance.audit.models import OutboxEntry
from governance.audit.queries import evidence_for, timeline
from governance.audit.types import SubjectRef
from tests.factories.audit import SubjectRefFactory, issued_evidence, record_entries

pytestmark = pytest.mark.django_db


def test_evidence_is_found_by_its_subject() -> None:
    evidence = issued_evidence()
    anchor_evidence(evidence_id=evidence.id)
    found = evidence_for(SubjectRef(evidence.subject_type, evidence.subject_id))

    assert found == evidence
    assert found is not None
    assert found.worm_reference.sha256 == evidence.envelope_sha256
    assert evidence_for(SubjectRefFactory()) is None


def test_timeline_holds_ordered_entries_first_and_waiting_ones_last() -> None:
    subject = record_entries(2)
    record_entries(1)
    sequence_pending()
    record_entries(1, subject=subject, kind="job.released")

    items = timeline(subject)

    assert [(item.index, item.kind) for item in items] == [
        (0, "job.submitted"),
        (1, "job.submitted"),
        (None, "job.released"),
    ]
    assert [item.data for item in items] == [{"number": 0}, {"number": 1}, {"number": 0}]
    assert items[0].at <= items[1].at <= items[2].at
    assert items[0].actor.type == "client"
    assert timeline(SubjectRefFactory()) == []


def test_entry_that_gets_its_place_while_it_is_read_appears_once() -> None:
    subject = record_entries(1)
    waiting = OutboxEntry.objects.get()
    sequence_pending()
    waiting.save(force_insert=True)

    assert [item.index for item in timeline(subject)] == [0]


def test_evidence_with_its_reference_is_one_query(django_assert_num_queries: object) -> None:
    evidence = issued_evidence()
    anchor_evidence(evidence_id=evidence.id)

    with django_assert_num_queries(1):  # type: ignore[operator]
        found = evidence_for(SubjectRef(evidence.subject_type, evidence.subject_id))
        assert found is not None
        assert found.worm_reference.uri
