"""The page of a draft: its state, its changes, the findings, and the next steps."""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse

from governance.audit.queries import timeline
from governance.audit.types import SubjectRef
from governance.console.policy_changes import diff_view
from governance.console.replay_story import progress_percent
from governance.console.subjects import person_names
from governance.console.types import Context
from governance.decisions.models import ReplayReport
from governance.rulebook.choices import DraftState
from governance.rulebook.lifecycle import OPEN, REPLAYABLE, replay_is_fresh
from governance.rulebook.models import PolicyDraft, PolicyRevision
from governance.rulebook.queries import active_digest

WAY = (
    (DraftState.DRAFT, "Proposed"),
    (DraftState.CHECKED, "Checked"),
    (DraftState.REPLAYED, "Replayed"),
    (DraftState.IN_REVIEW, "In review"),
    (DraftState.APPROVED, "Approved"),
    (DraftState.ACTIVE, "Active"),
)


@dataclass(frozen=True, slots=True)
class Action:
    """A button of the page; a primary one is the next step."""

    label: str
    url: str
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a draft: done, current, or pending."""

    label: str
    status: str


def draft_story(draft: PolicyDraft, *, user: User | AnonymousUser, me: str) -> Context:
    """Return what the page of a draft shows beyond its row. `me` is the reader, as drafts name persons."""
    base = PolicyRevision.objects.filter(digest=draft.base_digest).first()
    events = list(draft.events.all())
    names = person_names([*draft.authors, draft.approved_by, *(event.person for event in events)])
    replays = list(ReplayReport.objects.filter(draft=draft)[:5])
    cases = draft.check_report.get("cases", [])
    stale = draft.state in OPEN and draft.base_digest != active_digest()
    return {
        "base": base,
        "stale": stale,
        "open": draft.state in OPEN,
        "own": me in draft.authors,
        "stages": stages(draft),
        "step_actions": actions(draft, user=user, me=me, stale=stale),
        "authors": [names.get(each, each) for each in draft.authors],
        "approver": names.get(draft.approved_by, draft.approved_by),
        "diff": diff_view(base, (draft.content, draft.digest)),
        "report": draft.check_report,
        "cases_held": sum(case["outcome"] == "held" for case in cases),
        "cases_moved": [case for case in cases if case["outcome"] != "held"],
        "replays": [(replay, progress_percent(replay), replay.draft_digest == draft.digest) for replay in replays],
        "fresh": replay_is_fresh(draft),
        "life": [(event, names.get(event.person, event.person)) for event in reversed(events)],
        "ledger": timeline(SubjectRef("draft", str(draft.pk))),
    }


def stages(draft: PolicyDraft) -> list[Stage]:
    """Return the stages of a draft; a rejected or superseded one has no pending stage."""
    states = [state for state, _ in WAY]
    reached = states.index(DraftState(draft.state)) if draft.state in states else -1
    if draft.state == DraftState.SUPERSEDED:
        return [*(Stage(label, "done") for _, label in WAY), Stage("Superseded", "now")]
    if draft.state == DraftState.REJECTED:
        return [Stage("Proposed", "done"), Stage("Rejected", "failed")]
    status = {-1: "todo", 0: "now", 1: "done"}
    return [Stage(label, status[(reached > at) - (reached < at)]) for at, (_, label) in enumerate(WAY)]


def actions(draft: PolicyDraft, *, user: User | AnonymousUser, me: str, stale: bool) -> list[Action]:
    """Return what this person can do with the draft now."""
    writes = user.has_perm("rulebook.change_policydraft")
    reviews = user.has_perm("rulebook.review_policydraft")
    state, offered = draft.state, []
    if writes and state in (DraftState.DRAFT, DraftState.CHECKED) and not stale:
        offered.append(_action(draft, "check", "Check", primary=state == DraftState.DRAFT))
    if user.has_perm("decisions.add_replayreport") and state in REPLAYABLE and not stale:
        offered.append(_action(draft, "replay", "Replay", primary=not replay_is_fresh(draft)))
    if writes and state == DraftState.REPLAYED and not stale:
        offered.append(_action(draft, "submit", "Submit for review", primary=True))
    if reviews and state == DraftState.IN_REVIEW and me not in draft.authors and not stale:
        offered.append(_action(draft, "approve", "Approve", primary=True))
    if user.has_perm("rulebook.activate_policydraft") and state == DraftState.APPROVED and not stale:
        offered.append(_action(draft, "activate", "Activate", primary=True))
    if writes and (state in OPEN or state == DraftState.REJECTED):
        offered.append(_action(draft, "refresh", "Take the rules again", primary=stale))
    if (reviews or writes) and state in OPEN:
        offered.append(_action(draft, "reject", "Reject"))
    return sorted(offered, key=lambda action: action.primary)


def _action(draft: PolicyDraft, part: str, label: str, *, primary: bool = False) -> Action:
    return Action(label, reverse(f"admin:rulebook_policydraft_{part}", args=[draft.pk]), primary)
