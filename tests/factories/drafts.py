"""Drafts on their way, made through the services, for tests of the policy lifecycle."""

from datetime import timedelta
from typing import Any

from governance.audit.types import Actor
from governance.decisions.models import ReplayReport
from governance.decisions.replay import request_replay, work_batch
from governance.engines.ports import policy_engine
from governance.engines.types import Effect, EngineRequest
from governance.kernel import clock
from governance.rulebook.lifecycle import approve_draft, check_draft, open_draft, submit_draft
from governance.rulebook.models import PolicyDraft
from governance.rulebook.queries import active_program
from tests.factories.rulebook import AbacRuleFactory, permitted_facts

SEED = Actor("system", "seed")
AUTHOR = Actor("user", "901")
APPROVER = Actor("user", "902")
SECOND_APPROVER = Actor("user", "903")
WORKER = Actor("worker", "tests")


def proposed(title: str = "A change") -> PolicyDraft:
    """Return a checked draft of the rules as they are."""
    return check_draft(draft=open_draft(title=title, actor=AUTHOR), actor=AUTHOR)


def replay(draft: PolicyDraft) -> ReplayReport:
    """Return a finished replay of a draft against all that was decided in a day."""
    until = clock.now() + timedelta(seconds=1)
    since = until - timedelta(days=1)
    report = request_replay(draft=draft, since=since, until=until, sample_percent=100, actor=AUTHOR)
    while work_batch(report_id=report.pk, actor=WORKER):
        pass
    report.refresh_from_db()
    return report


def replayed(title: str = "A change") -> PolicyDraft:
    draft = proposed(title)
    replay(draft)
    draft.refresh_from_db()
    return draft


def in_review(title: str = "A change") -> PolicyDraft:
    return submit_draft(draft=replayed(title), actor=AUTHOR)


def approved(title: str = "A change") -> PolicyDraft:
    draft = in_review(title)
    return approve_draft(draft=draft, digest=draft.digest, actor=APPROVER, comment="Good.")


def with_a_new_rule() -> None:
    """Add a rule that no revision holds, so that there is something to propose."""
    AbacRuleFactory()


def ask(**changes: Any) -> Effect:
    """Return what the active policy answers about the use of a work, with some of the facts changed."""
    request = EngineRequest("asset.infer", permitted_facts("asset.infer", **changes))
    return policy_engine.get().evaluate(program=active_program(), requests=[request])[0].effect
