"""Names that are declared in one place and used nowhere as bare text."""

from pathlib import Path

import pytest

from governance.kernel.reason_codes import ReasonCode

#: Views name the problems of an operation by their codes, and two of these are reasons as well.
REASONS = tuple(f'"{code}"' for code in set(ReasonCode) - {ReasonCode.NO_ACTIVE_REVISION, ReasonCode.POLICY_FROZEN})
ROOT = Path(__file__).resolve().parents[2]
CODE = [
    path.relative_to(ROOT)
    for package in ("governance", "inference_workers", "scripts")
    for path in sorted((ROOT / package).rglob("*.py"))
]


def files_with(*texts: str) -> set[str]:
    return {str(path) for path in CODE if any(text in (ROOT / path).read_text(encoding="utf-8") for text in texts)}


@pytest.mark.parametrize(
    ("texts", "declared_in"),
    [
        (("pg_advisory", "pg_try_advisory"), "governance/audit/guards/advisory_locks.py"),
        (REASONS, "governance/kernel/reason_codes.py"),
        (("assent.control.", "assent.inference.", "assent.moderation."), "governance/jobs/tasks.py"),
    ],
    ids=["advisory locks", "reason codes", "task names"],
)
def test_it_is_declared_in_one_place(texts: tuple[str, ...], declared_in: str) -> None:
    assert files_with(*texts) == {declared_in}
