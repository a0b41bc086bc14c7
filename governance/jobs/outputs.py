"""Rows about what came out of a job. They are append-only, and their bytes lie in object storage."""

from governance.jobs.models import JobOutput, OutputCandidate


def keep_candidate(candidate: OutputCandidate) -> OutputCandidate:
    """Store what the model made, for a job that the caller holds a row lock on, until it is moderated."""
    candidate.save(force_insert=True)
    return candidate


def keep_output(output: JobOutput) -> JobOutput:
    """Store what of a job is released, for a job that the caller holds a row lock on."""
    output.save(force_insert=True)
    return output
