"""Decision log events and status reports as OPA servers send them."""

from typing import Any

from governance.engines.opa_modules import PDP_PATH

REVISION = "a" * 64


def event(decision_id: str = "d-1", **changes: Any) -> dict[str, Any]:
    """Return a masked decision log event of one permitted request."""
    return {
        "labels": {"id": "7d9f", "version": "1.4.2"},
        "decision_id": decision_id,
        "path": PDP_PATH,
        "input": {"facts_sha256": "f" * 64},
        "erased": ["/input/requests"],
        "result": {"revision": REVISION, "answers": [{"effect": "permit", "permits": ["open"], "denies": []}]},
        "timestamp": "2026-11-20T12:00:00.123456789Z",
        "metrics": {"timer_server_handler_ns": 1},
        "req_id": 3,
        **changes,
    }


def status(revision: str = REVISION, **bundle: Any) -> dict[str, Any]:
    """Return a status report of a server that runs a revision."""
    return {
        "labels": {"id": "7d9f", "version": "1.4.2"},
        "bundles": {"assent": {"name": "assent", "active_revision": revision, **bundle}},
        "plugins": {"bundle": {"state": "OK"}},
    }
