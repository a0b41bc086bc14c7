from datetime import UTC, datetime

from governance.audit.tally import REMEDIES, Tally, fault
from governance.audit.types import Fault, VerificationReport
from governance.kernel import clock
from governance.kernel.clock import ManualClock


def test_counts_and_reports_every_second_and_at_the_end() -> None:
    calls: list[tuple[str, int, int]] = []
    tally = Tally(lambda *call: calls.append(call))

    with clock.using(ManualClock(datetime(2026, 1, 1, tzinfo=UTC))) as manual:
        for _ in tally.counted("things", range(5), total=5):
            manual.advance(seconds=0.5)  # type: ignore[attr-defined]

    assert tally.checked == {"things": 5}
    assert calls == [("things", 2, 5), ("things", 4, 5), ("things", 5, 5)]


def test_nothing_to_count_is_a_count_of_zero_and_needs_no_listener() -> None:
    tally = Tally()

    assert list(tally.counted("things", [], total=0)) == []
    assert dict(tally.checked) == {"things": 0}


def test_a_fault_brings_its_remedy() -> None:
    found = fault("ledger entry #1", "entry_leaf", "Wrong.")

    assert found == Fault("ledger entry #1", "entry_leaf", "Wrong.", REMEDIES["entry_leaf"])
    assert VerificationReport().ok
    assert not VerificationReport(faults=(found,)).ok
