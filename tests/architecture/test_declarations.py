"""Names that are declared in one place and used nowhere as bare text."""

from pathlib import Path

import pytest

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
        (("assent.control.", "assent.inference.", "assent.moderation."), "governance/jobs/tasks.py"),
    ],
    ids=["advisory locks", "task names"],
)
def test_it_is_declared_in_one_place(texts: tuple[str, ...], declared_in: str) -> None:
    assert files_with(*texts) == {declared_in}
