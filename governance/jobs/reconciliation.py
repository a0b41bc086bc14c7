"""Admission, runs, releases and their evidence: each exactly once, and as the ledger says."""

from datetime import datetime, timedelta

from django.conf import settings

from governance.audit.recording.reconciling import (
    Check,
    CheckAsOf,
    Pairing,
    check,
    declare_checks,
    declare_counted,
    declare_kept,
    differing,
    entries_where,
    moment,
    one_of,
)
from governance.jobs.choices import JobState
from governance.jobs.entries import JobCancelRequestAccepted, JobEntered, JobMoved, JobReleased
from governance.jobs.models import Job, JobOutput, OutputCandidate

_JOB = "'job ' || j.id"
_LOOK = "Keep the database as it is, look at the job's history in the log, and find out who wrote to it."
#: Time for entries to come under a checkpoint, beyond what receipts promise.
_LATE = timedelta(seconds=60)
_ENDED = ", ".join(repr(str(state)) for state in (JobState.RELEASED, JobState.DENIED, JobState.CANCELLED))
_OUTPUT_DIGEST = (
    "convert_from(decode(v.envelope::jsonb ->> 'payload', 'base64'), 'UTF8')::jsonb #>> '{subject,0,digest,sha256}'"
)

ADMISSIONS = (
    check(
        "job_not_admitted",
        subject=_JOB,
        message="'It has no admission decision of its own.'",
        found="""FROM jobs_job AS j LEFT JOIN decisions_decisionrecord AS d ON d.id = j.admission_id
              WHERE d.id IS NULL OR d.kind <> 'admission' OR d.job_id <> j.id""",
        remedy=_LOOK,
    ),
    check(
        "job_admitted_twice",
        subject="'job ' || job_id",
        message="'It has ' || count(*) || ' admission decisions.'",
        found="FROM decisions_decisionrecord WHERE kind = 'admission' GROUP BY job_id HAVING count(*) > 1",
        remedy=_LOOK,
    ),
    check(
        "job_against_admission",
        subject=_JOB,
        message="'It is ' || j.state || ', though its admission was a ' || d.effect || '.'",
        found="""FROM jobs_job AS j JOIN decisions_decisionrecord AS d ON d.id = j.admission_id
              WHERE d.effect = 'deny' AND j.state <> 'denied'""",
        remedy=_LOOK,
    ),
    check(
        "decision_without_job",
        subject="'decision ' || d.id",
        message="'It decides about job ' || d.job_id || ', which does not exist.'",
        found="FROM decisions_decisionrecord AS d LEFT JOIN jobs_job AS j ON j.id = d.job_id WHERE j.id IS NULL",
        remedy="The job was removed. Restore it from a backup.",
    ),
    check(
        "job_state",
        subject=_JOB,
        message="'It is ' || j.state || '; its last event says ' || coalesce(e.to_state, 'nothing') || '.'",
        found="""FROM jobs_job AS j LEFT JOIN (
                  SELECT DISTINCT ON (job_id) job_id, to_state FROM jobs_jobevent ORDER BY job_id, id DESC
              ) AS e ON e.job_id = j.id WHERE e.to_state IS DISTINCT FROM j.state""",
        remedy="The events count, not the row. " + _LOOK,
    ),
)

RUNS = (
    check(
        "run_without_permit",
        subject="'job ' || c.job_id",
        message="'Its run under lease ' || c.fencing_token || ' used ' || count(p.id) || ' permits, not one.'",
        found="""FROM jobs_outputcandidate AS c LEFT JOIN decisions_permit AS p ON p.job_id = c.job_id
                  AND p.fencing_token = c.fencing_token AND p.redeemed_at IS NOT NULL
              GROUP BY c.job_id, c.fencing_token HAVING count(p.id) <> 1""",
        remedy="A model ran without leave, or the permit was removed. " + _LOOK,
    ),
    check(
        "run_without_result",
        subject="'job ' || e.job_id",
        message="'It went on to moderation under lease ' || e.fencing_token || ' without a result on record.'",
        found="""FROM jobs_jobevent AS e LEFT JOIN jobs_outputcandidate AS c ON c.job_id = e.job_id
                  AND c.fencing_token = e.fencing_token
              WHERE e.from_state = 'running' AND e.to_state = 'moderating' AND c.id IS NULL""",
        remedy=_LOOK,
    ),
    check(
        "permit_without_run",
        subject="'permit ' || p.id",
        message="'It was used for job ' || p.job_id || ', which never ran under lease ' || p.fencing_token || '.'",
        found="""FROM decisions_permit AS p WHERE p.redeemed_at IS NOT NULL AND NOT EXISTS (
                  SELECT FROM jobs_jobevent AS e WHERE e.job_id = p.job_id AND e.fencing_token = p.fencing_token
                  AND e.to_state = 'running')""",
        remedy=_LOOK,
    ),
)

RELEASES = (
    check(
        "release_without_decision",
        subject=_JOB,
        message="'It was released without an output that a release decision of its own permits.'",
        found="""FROM jobs_job AS j LEFT JOIN jobs_joboutput AS o ON o.job_id = j.id
                  LEFT JOIN decisions_decisionrecord AS d ON d.id = o.release_decision_id
              WHERE (j.state IN ('released', 'sealing') OR o.id IS NOT NULL)
                  AND (d.id IS NULL OR d.kind <> 'release' OR d.effect <> 'permit' OR d.job_id <> j.id)""",
        remedy="An output left without leave. Tell those concerned. " + _LOOK,
    ),
    check(
        "release_without_run",
        subject=_JOB,
        message="'There is an output, but no run that made it.'",
        found="""FROM jobs_job AS j JOIN jobs_joboutput AS o ON o.job_id = j.id
                  LEFT JOIN jobs_outputcandidate AS c ON c.job_id = j.id WHERE c.id IS NULL""",
        remedy=_LOOK,
    ),
    check(
        "output_of_unreleased_job",
        subject=_JOB,
        message="'There is an output on record, though the job is ' || j.state || '.'",
        found="""FROM jobs_job AS j JOIN jobs_joboutput AS o ON o.job_id = j.id
              WHERE j.state NOT IN ('released', 'sealing')""",
        remedy=_LOOK,
    ),
    check(
        "end_without_evidence",
        subject=_JOB,
        message="'It ended as ' || j.state || ' without evidence that says so.'",
        found=f"""FROM jobs_job AS j LEFT JOIN audit_evidencerecord AS v
                  ON v.subject_type = 'job' AND v.subject_id = j.id::text
              WHERE j.state IN ({_ENDED}, 'failed') AND v.outcome IS DISTINCT FROM j.state
                  OR j.state = 'sealing' AND v.outcome IS DISTINCT FROM 'released'""",
        remedy="The evidence was removed, or never made. Its WORM object, if there is one, still holds it. " + _LOOK,
    ),
    check(
        "evidence_without_end",
        subject="'evidence ' || v.id",
        message="'It tells how job ' || v.subject_id || ' ended; the database knows no such end.'",
        found="""FROM audit_evidencerecord AS v LEFT JOIN jobs_job AS j ON j.id::text = v.subject_id
              WHERE v.subject_type = 'job' AND (j.id IS NULL OR j.finished_at IS NULL AND j.state <> 'sealing')""",
        remedy="The evidence counts, not the row. " + _LOOK,
    ),
    check(
        "release_not_in_worm",
        subject=_JOB,
        message="'It was released, though its evidence has no reference to WORM storage.'",
        found="""FROM jobs_job AS j JOIN audit_evidencerecord AS v
                  ON v.subject_type = 'job' AND v.subject_id = j.id::text
                  LEFT JOIN audit_wormreference AS w ON w.evidence_id = v.id
              WHERE j.state = 'released' AND w.id IS NULL""",
        remedy="The reference was removed; the log names the object. Restore the row from a backup.",
    ),
    check(
        "output_differs",
        subject=_JOB,
        message="'Its evidence is of another output than the row: sha256 differs.'",
        found=f"""FROM jobs_job AS j JOIN jobs_joboutput AS o ON o.job_id = j.id JOIN audit_evidencerecord AS v
                  ON v.subject_type = 'job' AND v.subject_id = j.id::text
              WHERE v.outcome = 'released' AND {_OUTPUT_DIGEST} IS DISTINCT FROM o.sha256""",
        remedy="The signed evidence counts, not the row. " + _LOOK,
    ),
)

EVENTS = Pairing(
    code="event",
    noun="event of job",
    rows="""SELECT job_id || ' ' || to_state AS key, id AS ord, from_state, fencing_token, reason_code,
            actor_type || ':' || actor_id AS actor FROM jobs_jobevent""",
    entries=(JobMoved,),
    key="e.subject_id || ' ' || substr(e.kind, 5)",
    differs={
        "from_state": ("r.from_state", "e.data ->> 'from'"),
        "fencing_token": ("r.fencing_token", "(e.data ->> 'fencing_token')::numeric"),
        "reason_code": ("r.reason_code", "e.data ->> 'reason_code'"),
        "actor": ("r.actor", "e.actor"),
    },
)

_REQUEST = {
    "request_digest": "e.data ->> 'request_sha256' IS DISTINCT FROM j.request_digest",
    "token_id": "e.data ->> 'token' IS DISTINCT FROM j.token_id::text",
    "token_issued_at": moment("e.data ->> 'token_issued_at'") + " IS DISTINCT FROM j.token_issued_at",
}

REQUESTS = Check(
    sql=f"""
    WITH {entries_where(one_of(JobEntered))}
    SELECT 'request_differs', subject, name || ' differs in: ' || fields || '.'
    FROM (
        SELECT {_JOB} AS subject, e.name, concat_ws(', ', {differing(_REQUEST)}) AS fields
        FROM jobs_job AS j JOIN entries AS e ON e.subject_id = j.id::text WHERE e.data ? 'request_sha256'
    ) AS compared WHERE fields <> ''
    """,
    remedies={"request_differs": "The log counts, not the row. " + _LOOK},
    kinds=(JobEntered,),
    noun="job",
    fields=tuple(_REQUEST),
)

CANCEL_REQUESTS = Pairing(
    code="cancel_request",
    noun="cancel request of job",
    rows="SELECT id::text AS key, id AS ord FROM jobs_job WHERE cancel_requested",
    entries=(JobCancelRequestAccepted,),
    key="e.subject_id",
)


def publication(now: datetime) -> Check:
    """Return the check that what was released a while ago is under a checkpoint."""
    before = now - timedelta(seconds=settings.ASSENT_LOG_PROMISE_SECONDS) - _LATE
    return Check(
        sql=f"""
        WITH {entries_where(one_of(JobReleased))},
        published AS (SELECT coalesce((SELECT size FROM audit_checkpoint ORDER BY id DESC LIMIT 1), 0) AS size)
        SELECT 'release_not_published', 'job ' || e.subject_id, e.name || CASE
            WHEN e.index IS NULL THEN ' has no place in the log.'
            ELSE ' is beyond the newest checkpoint, of ' || p.size || ' entries.' END
        FROM entries AS e CROSS JOIN published AS p
        WHERE (e.index IS NULL OR e.index >= p.size) AND e.occurred_at < '{before.isoformat()}'::timestamptz
        """,
        remedies={
            "release_not_published": "See that the scheduler and the control worker run, and look for a log alarm with "
            "'manage.py audit status'."
        },
    )


declare_checks(*ADMISSIONS, *RUNS, *RELEASES, EVENTS, REQUESTS, CANCEL_REQUESTS, CheckAsOf(publication))
declare_counted(jobs=Job, runs=OutputCandidate, outputs=JobOutput)
declare_kept("job", Job)
