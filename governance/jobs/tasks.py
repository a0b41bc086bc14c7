"""The names of all Celery tasks, and the queues that workers take them from. Knows neither Django nor Celery.

A name is part of the messages that wait in the broker: after an upgrade, workers must still know the names of the
previous version. The tasks themselves are in `inference_workers.tasks`.
"""

from enum import StrEnum


class Queue(StrEnum):
    """Where messages wait. A worker takes from one or more queues and loads only what their tasks need."""

    INFERENCE = "inference"
    MODERATION = "moderation"
    CONTROL = "control"


class Task(StrEnum):
    """The name of a task: `assent`, its queue, and what it does."""

    RUN_JOB = "assent.inference.run_job"
    RELEASE_JOB = "assent.moderation.release_job"
    SEAL_JOB = "assent.control.seal_job"
    ANCHOR_EVIDENCE = "assent.control.anchor_evidence"
    ADVANCE_LOG = "assent.control.advance_log"
    REPLAY_DRAFT = "assent.control.replay_draft"
    RESUME_REPLAYS = "assent.control.resume_replays"
    SWEEP_JOBS = "assent.control.sweep_jobs"
    RECONCILE = "assent.control.reconcile"
    START_SCRUB = "assent.control.start_scrub"
    SCRUB = "assent.control.scrub"
    RESUME_SCRUBS = "assent.control.resume_scrubs"
    CLEAR_TOKENS = "assent.control.clear_tokens"

    @property
    def queue(self) -> Queue:
        """The queue that the task's messages wait on."""
        return Queue(self.split(".")[1])
