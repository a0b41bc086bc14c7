"""Kinds of ledger entries of jobs, and the predicate of the evidence that a job ends with."""

from governance.audit.recording.declarations import evidence_predicate

JOB_OUTCOME = evidence_predicate("job-outcome/v1")
