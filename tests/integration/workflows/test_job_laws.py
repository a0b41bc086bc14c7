"""Whatever happens in whatever order, a job ends once, for a reason that is true, and is never released against a no.

The machine plays partner, creator, operators, workers and time. A worker's step is one rule, but at its safe points the
step lets other things happen: a cancellation, a withdrawal, a lease that runs out and another worker that goes on.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from governance.audit.models import EvidenceRecord, OutboxEntry
from governance.audit.tally import Tally
from governance.catalog import services as catalog
from governance.catalog.choices import GrantMethod
from governance.catalog.models import Creator
from governance.decisions.permits import redeem
from governance.jobs.choices import JobState
from governance.jobs.errors import TransitionRefused
from governance.jobs.leases import take_lease
from governance.jobs.models import OPEN_STATES, WORKED_ON, Job, JobEvent, JobOutput
from governance.jobs.states import ENDED
from governance.kernel import clock
from governance.kernel.canonical import sha256_hex
from governance.kernel.clock import ManualClock
from governance.kernel.errors import Unavailable
from governance.partners.errors import PartnerStatusConflict, TokenInvalid
from governance.partners.models import AccessToken
from governance.partners.partners import reinstate_partner, suspend_partner
from governance.partners.queries import find_token, token_grant
from governance.partners.tokens import revoke_partner_tokens, revoke_token
from governance.partners.types import TokenGrant
from governance.workflows.cancel_job import cancel_job
from governance.workflows.reconcile.run import database_faults
from governance.workflows.release_job import release_job
from governance.workflows.run_job import run_job
from governance.workflows.seal_job import seal_job
from governance.workflows.submit_job import submit_job
from governance.workflows.sweep import sweep
from governance.workflows.types import AppliedImage, JobRequest, ModerationScores, RuntimeResult
from tests.effort import LONG, examples
from tests.factories.marketplace import TESTER, Marketplace, make_marketplace, png
from tests.factories.partners import raw_token
from tests.factories.states import put_on_record

STEPS = 50 if LONG else 14
PICTURE = png(2, 2)
MOST_JOBS = 4
#: How each end may come about: only these reasons are true of it.
CUT_OFF = {"token_revoked", "partner_suspended"}
POLICY = {"consent_withdrawn", "consent_missing", "partner_suspended", "moderation_output_unsafe"}
REASONS: Mapping[str, set[str]] = {
    JobState.CANCELLED: {"cancelled_on_request", "deadline_exceeded", *CUT_OFF, *POLICY},
    JobState.DENIED: POLICY,
    JobState.FAILED: {"attempts_exhausted"},
    JobState.RELEASED: {""},
}
HAPPENINGS = [
    "cancel",
    "withdraw",
    "grant",
    "revoke_all",
    "revoke_one",
    "suspend",
    "reinstate",
    "lose_lease",
    "sweep",
    "another_runs",
    "another_releases",
]
meanwhile = st.lists(st.sampled_from(HAPPENINGS), max_size=2)


class TinyModerator:
    """Scores as it is told; before it answers, things happen."""

    name, artifact_digest = "tiny", "0" * 64

    def __init__(self, score: float, happen: Callable[[], None]) -> None:
        self.told, self.happen = score, happen

    def score(self, image: bytes, heartbeat: Any) -> ModerationScores:
        self.happen()
        return ModerationScores(score=self.told, labels=())


class TinyRuntime:
    """Redeems its permit as a runtime must; before and after that, things happen."""

    def __init__(self, before: Callable[[], None], after: Callable[[], None], *, breaks: bool) -> None:
        self.before, self.after, self.breaks = before, after, breaks

    def run(self, *, permit_envelope: str, job_id: Any, artifact: Any, image: bytes, **rest: Any) -> RuntimeResult:
        self.before()
        digests = {"input_digest": sha256_hex(image), "artifact_digest": sha256_hex(artifact.read_bytes())}
        redeem(envelope=permit_envelope, job_id=job_id, **digests)
        self.after()
        if self.breaks:
            raise Unavailable("The accelerator is gone.", code="accelerator_gone")
        return RuntimeResult(PICTURE, "image/png", 2, 2, "cpu", 1)


class Jobs(RuleBasedStateMachine):
    """The life of a few jobs of one partner. Each example is one transaction, rolled back at its end."""

    market: Marketplace

    def __init__(self) -> None:
        super().__init__()
        self._atomic = transaction.atomic()
        self._atomic.__enter__()
        self.time = ManualClock(clock.now())
        self._using = clock.using(self.time)
        self._using.__enter__()
        self.jobs: list[Job] = []
        #: Jobs whose cancellation was accepted, with the only reason that each may end for.
        self.accepted: dict[Any, str] = {}
        self.sealed: set[Any] = set()
        self.grant = self.new_token()

    def teardown(self) -> None:
        self.wind_up()
        self._using.__exit__(None, None, None)
        transaction.set_rollback(True)
        self._atomic.__exit__(None, None, None)

    # what partners, creators and operators do

    @initialize()
    def begin(self) -> None:
        self.submit()

    @precondition(lambda self: len(self.jobs) < MOST_JOBS)
    @rule()
    def submit(self) -> None:
        request = JobRequest("espcn-x2", None, "upscale", "commercial", (self.market.asset.id,))
        live = find_token_of(self.grant).refusal(at=clock.now()) is None
        try:
            key = f"key-{len(self.jobs)}-{clock.now().timestamp()}"
            outcome = submit_job(grant=self.grant, request=request, idempotency_key=key, request_id="laws")
        except TokenInvalid:
            assert not live
            self.grant = self.new_token()
        else:
            assert live
            self.jobs.append(outcome.job)

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self.cancel_one(data.draw(st.sampled_from(self.jobs)))

    @rule(what=st.sampled_from(HAPPENINGS))
    def happen(self, what: str) -> None:
        self.let_happen(what)

    @rule(minutes=st.sampled_from([1, 5, 70]))
    def pass_time(self, minutes: int) -> None:
        self.time.advance(seconds=minutes * 60)

    # what workers do

    @rule(data=st.data(), first=meanwhile, second=meanwhile, third=meanwhile, breaks=st.booleans())
    def infer(self, data: st.DataObject, first: list[str], second: list[str], third: list[str], breaks: bool) -> None:
        job = data.draw(st.sampled_from(self.jobs))
        runtime = TinyRuntime(self.all_of(second), self.all_of(third), breaks=breaks)
        run_job(job_id=job.id, owner="one", runtimes=lambda _: runtime, moderator=TinyModerator(0, self.all_of(first)))

    @rule(data=st.data(), first=meanwhile, second=meanwhile, score=st.sampled_from([0.0, 0.0, 0.99]))
    def release(self, data: st.DataObject, first: list[str], second: list[str], score: float) -> None:
        job = data.draw(st.sampled_from(self.jobs))
        carry_out = carried_out_after(self.all_of(second))
        moderator = TinyModerator(score, self.all_of(first))
        release_job(job_id=job.id, owner="one", moderator=moderator, carry_out=carry_out)
        self.look()

    @rule(data=st.data(), state=st.sampled_from([JobState.QUEUED, JobState.MODERATING]))
    def take_and_vanish(self, data: st.DataObject, state: JobState) -> None:
        take_lease(job_id=data.draw(st.sampled_from(self.jobs)).id, owner="gone", waiting=state)

    @rule(data=st.data())
    def seal(self, data: st.DataObject) -> None:
        seal_job(job_id=data.draw(st.sampled_from(self.jobs)).id, actor=TESTER)

    # what has to hold

    @invariant()
    def one_end_each(self) -> None:
        ends = JobEvent.objects.filter(to_state__in=ENDED).values_list("job_id", flat=True)
        assert set(Counter(ends).values()) <= {1}
        ended = Job.objects.filter(state__in=ENDED)
        assert {job.id for job in ended} == set(ends)
        signed = EvidenceRecord.objects.values_list("subject_id", "outcome")
        closed = Job.objects.filter(state__in=[*ENDED, JobState.SEALING])
        assert Counter(key for key, _ in signed) == Counter(str(job.id) for job in closed)
        assert all(job.reason_code in REASONS[job.state] for job in ended)

    @invariant()
    def cancelled_means_cancelled(self) -> None:
        for job in Job.objects.filter(id__in=list(self.accepted)):
            assert job.state in [JobState.CANCELLED, *WORKED_ON]
            assert job.state != JobState.CANCELLED or job.reason_code == self.accepted[job.id]

    @invariant()
    def look(self) -> None:
        """See which jobs have passed the point of release since the last look, and that nothing spoke against it."""
        sealed = {*Job.objects.filter(state__in=[JobState.SEALING, JobState.RELEASED]).values_list("id", flat=True)}
        new, self.sealed = sealed - self.sealed, sealed
        for job in Job.objects.filter(id__in=new).select_related("partner"):
            assert job.id not in self.accepted
            assert self.may_be_released(job)
        assert {*JobOutput.objects.values_list("job_id", flat=True)} == sealed

    def may_be_released(self, job: Job) -> bool:
        token = AccessToken.objects.get(pk=job.token_id)
        cut = job.partner.tokens_valid_after
        statement = Creator.objects.get().consent_grants.order_by("-epoch")[0]
        return (
            job.partner.status == "active"
            and token.revoked_at is None
            and (cut is None or token.created > cut)
            and statement.kind == "grant"
        )

    def wind_up(self) -> None:
        """Let time pass until every job has ended, and compare what is on record with the rows."""
        for job in Job.objects.filter(state=JobState.SEALING):
            seal_job(job_id=job.id, actor=TESTER)
        self.time.advance(seconds=2 * 3600)
        sweep()
        assert not Job.objects.filter(state__in=OPEN_STATES).exists()
        self.one_end_each()
        self.cancelled_means_cancelled()
        self.look()
        moves = OutboxEntry.objects.filter(subject_type="job", kind__in=[f"job.{state}" for state in JobState.values])
        assert Counter(moves.values_list("subject_id", "kind")) == Counter(
            (str(job), f"job.{state}") for job, state in JobEvent.objects.values_list("job_id", "to_state")
        )
        assert [fault for fault in database_faults(Tally()) if fault.check != "release_not_published"] == []

    # how things happen

    def new_token(self) -> TokenGrant:
        return token_grant(find_token(raw_token(self.market.client)))

    def all_of(self, what: list[str]) -> Callable[[], None]:
        def happen() -> None:
            for each in what:
                self.let_happen(each)

        return happen

    def let_happen(self, what: str) -> None:
        self.look()
        getattr(self, f"_{what}")()
        self.look()

    def _cancel(self) -> None:
        self.cancel_one(self.jobs[-1])

    def _withdraw(self) -> None:
        self.market.withdraw()

    def _grant(self) -> None:
        creator, level = self.market.creator, self.market.level
        catalog.record_grant(creator=creator, asset=None, level=level, method=GrantMethod.CONSOLE, actor=TESTER)

    def _revoke_all(self) -> None:
        revoke_partner_tokens(partner=self.market.partner, actor=TESTER, reason="leaked")

    def _revoke_one(self) -> None:
        revoke_token(token=find_token_of(self.grant), actor=TESTER, reason="leaked")

    def _suspend(self) -> None:
        with suppress(PartnerStatusConflict):
            suspend_partner(partner=self.market.partner, reason="unpaid", actor=TESTER)

    def _reinstate(self) -> None:
        with suppress(PartnerStatusConflict):
            reinstate_partner(partner=self.market.partner, reason="paid", actor=TESTER)

    def _lose_lease(self) -> None:
        self.time.advance(seconds=31)

    def _sweep(self) -> None:
        sweep()

    def _another_runs(self) -> None:
        self.time.advance(seconds=300)
        runtime = TinyRuntime(lambda: None, lambda: None, breaks=False)
        moderator = TinyModerator(0, lambda: None)
        for job in self.jobs:
            run_job(job_id=job.id, owner="two", runtimes=lambda _: runtime, moderator=moderator)

    def _another_releases(self) -> None:
        self.time.advance(seconds=300)
        moderator, carry_out = TinyModerator(0, lambda: None), carried_out_after(lambda: None)
        for job in self.jobs:
            release_job(job_id=job.id, owner="two", moderator=moderator, carry_out=carry_out)

    def cancel_one(self, job: Job) -> None:
        before = Job.objects.select_related("partner").get(id=job.id)
        cut = self.cut_off_of(before)
        try:
            after = cancel_job(job=job, actor=TESTER)
        except TransitionRefused:
            assert before.state in [JobState.SEALING, JobState.RELEASED, JobState.DENIED, JobState.FAILED]
            return
        if before.state != JobState.CANCELLED and not before.cancel_requested:
            self.accepted[job.id] = cut or "cancelled_on_request"
        assert after.cancel_requested or after.state == JobState.CANCELLED

    def cut_off_of(self, job: Job) -> str | None:
        token = AccessToken.objects.get(pk=job.token_id)
        cut = job.partner.tokens_valid_after
        if token.revoked_at is not None or (cut is not None and token.created <= cut):
            return "token_revoked"
        return None if job.partner.status == "active" else "partner_suspended"


def find_token_of(grant: TokenGrant) -> AccessToken:
    return AccessToken.objects.select_related("application__partner").get(pk=grant.token_id)


def carried_out_after(happen: Callable[[], None]) -> Callable[..., AppliedImage]:
    def carry_out(image: bytes, obligations: Any, provenance: Any, heartbeat: Any) -> AppliedImage:
        happen()
        return AppliedImage(image, "image/png", 2, 2, applied=())

    return carry_out


@pytest.fixture
def one_market(db: None, private_data: object) -> Marketplace:
    market = make_marketplace()
    put_on_record()
    return market


def test_every_job_ends_once_and_truly(monkeypatch: pytest.MonkeyPatch, one_market: Marketplace) -> None:
    monkeypatch.setattr(Jobs, "market", one_market, raising=False)
    run_state_machine_as_test(
        Jobs,
        settings=settings(
            max_examples=examples(6),
            stateful_step_count=STEPS,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
