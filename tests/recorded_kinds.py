"""Holds every entry that a test records against the declared kinds."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from governance.audit.recording import record
from governance.audit.recording.declarations import declarations
from governance.audit.recording.outbox import put_into_outbox
from tests.factories.audit import LOOSE_KINDS


@contextmanager
def recorded_kinds_checked() -> Iterator[None]:
    """Refuse to record a kind inside the block that is neither declared nor a `LooseEntry`'s."""

    def put(*, kind: str, **columns: object) -> None:
        known = kind in declarations() or kind in LOOSE_KINDS
        assert known, f"Nobody declared the kind of entry '{kind}'."
        put_into_outbox(kind=kind, **columns)

    with patch.object(record, "put_into_outbox", put):
        yield
