"""Scoring an image and recording the score."""

import time

from governance.jobs.types import Lease
from governance.kernel.canonical import sha256_hex
from governance.moderation.choices import ModerationStage
from governance.moderation.models import ModerationVerdict
from governance.moderation.services import record_verdict
from governance.moderation.types import Scored
from governance.workflows.ports import Heartbeat, Moderator


def moderate(
    *,
    lease: Lease,
    stage: ModerationStage,
    moderator: Moderator,
    image: bytes,
    heartbeat: Heartbeat,
) -> ModerationVerdict:
    """Score an encoded image and return the stored verdict.

    Raises what the moderator or `heartbeat` raises, and LeaseLost; nothing is stored then.
    """
    started = time.perf_counter()
    scores = moderator.score(image, heartbeat)
    return record_verdict(
        lease=lease,
        stage=stage,
        scored=Scored(
            content_sha256=sha256_hex(image),
            moderator=moderator.name,
            moderator_sha256=moderator.artifact_digest,
            score=scores.score,
            labels=tuple((each.label, each.score) for each in scores.labels),
            duration_ms=round((time.perf_counter() - started) * 1000),
        ),
    )
