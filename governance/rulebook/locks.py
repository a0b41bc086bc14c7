"""The one lock of the rulebook."""

from governance.audit.guards.advisory_locks import AdvisoryLock, wait_for_lock


def lock_policy() -> None:
    """Keep everybody else from changing rules, or which revision decides, until this transaction ends."""
    wait_for_lock(AdvisoryLock.POLICY)
