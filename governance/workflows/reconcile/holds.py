"""Legal holds against what the log says of them."""

from governance.workflows.reconcile.checks import Pairing, one_of

_HOLD = """
    SELECT h.id::text AS key, h.id AS ord, h.*, w.uri, w.version_id
    FROM audit_legalhold AS h JOIN audit_wormreference AS w ON w.id = h.reference_id
"""

HELD = Pairing(
    code="hold",
    noun="legal hold",
    rows=_HOLD,
    entries=one_of("worm.held"),
    key="e.data ->> 'hold'",
    differs={
        "set_by": ("r.set_by", "e.actor"),
        "reason": ("encode(sha256(convert_to(r.reason, 'UTF8')), 'hex')", "e.data ->> 'reason_sha256'"),
        "reference": ("r.reference_id::text", "e.subject_id"),
        "uri": ("r.uri", "e.data ->> 'uri'"),
        "version_id": ("r.version_id", "e.data ->> 'version_id'"),
    },
)

RELEASED = Pairing(
    code="hold_release",
    noun="release of legal hold",
    rows=f"{_HOLD} WHERE NOT h.active",
    entries=one_of("worm.hold_released"),
    key="e.data ->> 'hold'",
    differs={
        "released_by": ("r.released_by", "e.actor"),
        "release_asked_by": ("r.release_asked_by", "e.data ->> 'asked_by'"),
    },
)

CHECKS = (HELD.check(), RELEASED.check())
