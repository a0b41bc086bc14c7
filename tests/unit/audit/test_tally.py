from governance.audit.tally import REMEDIES, Tally, fault
from governance.audit.types import Fault, VerificationReport


def test_counts_and_reports_now_and_then_and_at_the_end() -> None:
    calls: list[tuple[str, int, int]] = []
    tally = Tally(lambda *call: calls.append(call))

    assert sum(1 for _ in tally.counted("things", range(1001), total=1001)) == 1001

    assert tally.checked == {"things": 1001}
    assert calls == [("things", 500, 1001), ("things", 1000, 1001), ("things", 1001, 1001)]


def test_nothing_to_count_is_a_count_of_zero_and_needs_no_listener() -> None:
    tally = Tally()

    assert list(tally.counted("things", [], total=0)) == []
    assert dict(tally.checked) == {"things": 0}


def test_a_fault_brings_its_remedy() -> None:
    found = fault("ledger entry #1", "entry_leaf", "Wrong.")

    assert found == Fault("ledger entry #1", "entry_leaf", "Wrong.", REMEDIES["entry_leaf"])
    assert VerificationReport().ok
    assert not VerificationReport(faults=(found,)).ok
