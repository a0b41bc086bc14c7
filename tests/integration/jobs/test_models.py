"""What a job asked for stays as it was asked."""

import pytest
from django.db import IntegrityError, transaction

from governance.jobs.models import Job, JobInput
from tests.factories.marketplace import make_marketplace


@pytest.fixture
def job(db, monkeypatch):
    monkeypatch.setattr("celery.current_app.send_task", lambda *args, **options: None)
    return make_marketplace().submit().job


@pytest.mark.parametrize(("column", "value"), [("token_grant", []), ("task", "other"), ("purpose", "research")])
def test_what_a_job_asked_for_cannot_be_changed(job, column, value):
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(id=job.id).update(**{column: value})


def test_the_inputs_of_a_job_cannot_be_changed_or_taken_away(job):
    with pytest.raises(IntegrityError), transaction.atomic():
        JobInput.objects.filter(job=job).update(sha256="0" * 64)
    with pytest.raises(IntegrityError), transaction.atomic():
        JobInput.objects.filter(job=job).delete()
