"""Decisions under a revision with hand-written Rego."""

from dataclasses import replace

import pytest

from governance.decisions.choices import DecisionKind
from governance.decisions.services import decide
from governance.engines.types import Effect, RuleMeta
from governance.kernel.ids import new_id
from governance.rulebook import draft_checks, services
from governance.rulebook.activation import publish_without_review
from governance.rulebook.cases import load_cases
from governance.rulebook.custom_contract import CustomModule
from tests.factories.marketplace import TESTER

MODULE = CustomModule(
    name="night_watch",
    action="asset.infer",
    source='package assent.asset.infer\n\ndeny contains "night-watch" if startswith(input.asset.creator, "ada")\n',
    rules={"night-watch": RuleMeta(Effect.DENY, "night_watch", "Works of {asset.creator} rest now.")},
)


@pytest.fixture
def guarded(market, monkeypatch):
    monkeypatch.setattr(services, "custom_modules", lambda: (MODULE,))
    return publish_without_review(actor=TESTER, note="with a module")


def test_its_denial_is_a_decision_like_any_other(guarded, context, asked):
    decision = decide(kind=DecisionKind.ADMISSION, job_id=new_id(), context=context, asked=asked, actor=TESTER)
    assert (decision.effect, decision.revision_digest) == ("deny", guarded.digest)
    assert decision.reasons == [{"code": "night_watch", "message": "Works of ada rest now.", "rule": "night-watch"}]


LOOPS = "; ".join(f"some {name} in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]" for name in "abcdefghij")
ENDLESS = replace(
    MODULE,
    source=(
        "package assent.asset.infer\n\n"
        f'deny contains "night-watch" if {{ input.asset.width > 0; {LOOPS}; a + b + c + d + e + f + g + h + i == j }}\n'
    ),
)


def test_a_module_that_does_not_end_is_a_denial_with_its_own_code(market, monkeypatch, context, asked):
    monkeypatch.setattr(services, "custom_modules", lambda: (ENDLESS,))
    publish_without_review(actor=TESTER, note="with a module")

    decision = decide(kind=DecisionKind.ADMISSION, job_id=new_id(), context=context, asked=asked, actor=TESTER)

    assert (decision.effect, decision.reason_codes) == ("deny", ["policy_budget_exceeded"])
    assert "more time or memory than it may take" in decision.reasons[0]["message"]


def test_the_checks_of_a_draft_name_a_module_that_does_not_end(market, monkeypatch):
    monkeypatch.setattr(services, "custom_modules", lambda: (ENDLESS,))
    monkeypatch.setattr(draft_checks, "load_cases", lambda *args: load_cases(*args)[:20])
    content = services.current_content()

    report = draft_checks.check_draft_content(text=content.text, digest=content.digest)

    slow = [each for each in report["cases"] if "needed more time" in each["problem"]]
    assert {each["outcome"] for each in slow} == {"failed"}
    assert {each["action"] for each in slow} == {"asset.infer"}
    assert set(report["problems"]) >= {each["problem"] for each in slow}
