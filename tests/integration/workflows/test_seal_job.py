"""Nothing is released while the log could not prove it."""

import pytest

from governance.audit.errors import LogDiverged, LogHalted
from governance.audit.log.log_alarms import raise_alarm, resolve_alarms
from governance.audit.models import WormReference
from governance.audit.types import Actor
from governance.jobs.choices import JobState
from governance.jobs.models import Job
from tests.factories.marketplace import Marketplace, release, run, seal


def test_while_the_log_has_stopped_a_job_waits_and_then_goes_on(market: Marketplace) -> None:
    job = market.submit().job
    run(job.id)
    release(job.id)
    raise_alarm(LogDiverged("Another history.", code="log_forked"))

    with pytest.raises(LogHalted, match="log_forked"):
        seal(job.id)

    assert Job.objects.get(id=job.id).state == JobState.SEALING
    assert not WormReference.objects.filter(subject_id=str(job.id)).exists()
    resolve_alarms(resolution="the row was put right", actor=Actor("system", "command"))
    assert seal(job.id).state == JobState.RELEASED
