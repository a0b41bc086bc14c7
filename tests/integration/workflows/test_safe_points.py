"""What happens to a job while its worker computes reaches the worker in the middle of a step, the moderator too."""

from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import TypeAlias

import pytest
from django.db.models import F

from governance.audit.tally import Tally
from governance.catalog import services as catalog
from governance.catalog.choices import GrantMethod
from governance.decisions.models import DecisionRecord, Permit
from governance.jobs.choices import JobState
from governance.jobs.models import Job, JobOutput, OutputCandidate
from governance.jobs.types import Lease
from governance.moderation.models import ModerationVerdict
from governance.partners.tokens import revoke_partner_tokens
from governance.workflows import keep_alive, safe_points
from governance.workflows.cancel_job import cancel_job
from governance.workflows.ports import Heartbeat
from governance.workflows.reconcile.run import database_faults
from governance.workflows.release_job import release_job
from governance.workflows.run_job import run_job
from governance.workflows.safe_points import end_unless_permitted
from governance.workflows.types import ModerationScores
from inference_workers.moderators.nudenet import NudeNetModerator
from inference_workers.obligations.carry_out import apply_obligations
from tests.factories.marketplace import TESTER, Marketplace, make_asset, moderator, png, run, upscaler
from tests.waiting import wait_until

LARGE = (1400, 1400)
Step: TypeAlias = Callable[[Heartbeat], object]


@pytest.fixture(autouse=True)
def frequent_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_alive, "LOOK_SECONDS", 0.02)


class Interrupted:
    """The real moderator, with something happening to the world after its second batch of views."""

    name, artifact_digest = NudeNetModerator.name, "0" * 64

    def __init__(self, meddle: Callable[[], object]) -> None:
        def meddle_and_wait(beat: Heartbeat) -> None:
            meddle()
            wait_until(beat)

        self.steps: Iterator[Step] = iter([lambda beat: beat(), lambda beat: beat(), meddle_and_wait])
        self.beats = 0

    def score(self, image: bytes, heartbeat: Heartbeat) -> ModerationScores:
        def beat() -> None:
            self.beats += 1
            next(self.steps)(heartbeat)  # there is no fourth beat

        return moderator().score(image, beat)


@pytest.fixture
def job(market: Marketplace) -> Job:
    return market.submit(asset=make_asset(market.creator, png(*LARGE))).job


def lose_the_lease(job: Job) -> None:
    Job.objects.filter(id=job.id).update(fencing_token=F("fencing_token") + 1)


def run_while(job: Job, meddle: Callable[[], object]) -> tuple[Job, int]:
    """Run a job, with something happening while its input is moderated; return it and how often was asked."""
    interrupted = Interrupted(meddle)
    run_job(job_id=job.id, owner="w", runtimes=lambda _: upscaler(), moderator=interrupted)
    return Job.objects.get(id=job.id), interrupted.beats


def release_while(job: Job, meddle: Callable[[], object]) -> Job:
    release_job(job_id=job.id, owner="w", moderator=Interrupted(meddle), carry_out=apply_obligations)
    return Job.objects.get(id=job.id)


def test_a_cancel_ends_the_moderation_of_the_input(job: Job) -> None:
    job, beats = run_while(job, lambda: cancel_job(job=job, actor=TESTER))
    assert (job.state, job.reason_code) == (JobState.CANCELLED, "cancelled_on_request")
    assert not ModerationVerdict.objects.exists()
    assert beats == 3


def test_a_withdrawal_ends_the_moderation_of_the_input(job: Job, market: Marketplace) -> None:
    job, _ = run_while(job, market.withdraw)
    assert (job.state, job.reason_code) == (JobState.CANCELLED, "consent_withdrawn")
    assert not ModerationVerdict.objects.exists()
    assert not Permit.objects.exists()
    assert DecisionRecord.objects.get(kind="permit").effect == "deny"


def test_a_revocation_ends_the_moderation_of_the_input(job: Job, market: Marketplace) -> None:
    job, _ = run_while(job, lambda: revoke_partner_tokens(partner=market.partner, actor=TESTER, reason="test"))
    assert job.state == JobState.CANCELLED
    assert not ModerationVerdict.objects.exists()


def test_a_lost_lease_ends_the_moderation_and_changes_nothing(job: Job) -> None:
    job, beats = run_while(job, lambda: lose_the_lease(job))
    assert (job.state, beats) == (JobState.LEASED, 3)
    assert not ModerationVerdict.objects.exists()


def test_a_change_that_takes_nothing_away_stops_nothing(
    job: Job, market: Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Lease] = []

    def ask(lease: Lease) -> None:
        asked.append(lease)
        end_unless_permitted(lease)

    def grant_again_and_wait(beat: Heartbeat) -> None:
        catalog.record_grant(
            creator=market.creator, asset=None, level=market.level, method=GrantMethod.CONSOLE, actor=TESTER
        )
        wait_until(lambda: beat() or asked)

    monkeypatch.setattr(safe_points, "end_unless_permitted", ask)
    interrupted = Interrupted(lambda: None)
    interrupted.steps = chain([grant_again_and_wait], repeat(lambda beat: beat()))
    run_job(job_id=job.id, owner="w", runtimes=lambda _: upscaler(), moderator=interrupted)
    assert len(asked) == 1
    assert OutputCandidate.objects.filter(job=job).exists()


@pytest.mark.parametrize(
    ("name", "ended"),
    [
        ("cancel", (JobState.CANCELLED, "cancelled_on_request")),
        ("withdraw", (JobState.DENIED, "consent_withdrawn")),
    ],
)
def test_the_moderation_of_the_output_ends_too(
    job: Job, market: Marketplace, name: str, ended: tuple[str, str]
) -> None:
    meddle = {"cancel": lambda: cancel_job(job=job, actor=TESTER), "withdraw": market.withdraw}
    run(job.id)
    job = release_while(job, meddle[name])
    assert (job.state, job.reason_code) == ended
    assert not JobOutput.objects.exists()
    about = ("job ", "decision ", "permit ", "evidence ", "moderation ")
    assert [fault for fault in database_faults(Tally()) if fault.subject.startswith(about)] == []
