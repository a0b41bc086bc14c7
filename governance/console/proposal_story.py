"""The page of a proposal: what it changes, what that opens and closes, who wrote it, and what can be done next."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from django.contrib.auth.models import AnonymousUser, User
from django.core.paginator import Page, Paginator
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from governance.audit.queries import timeline
from governance.catalog.choices import Direction
from governance.catalog.proposals import Proposal, Proposals
from governance.console.comparison import FieldDifference, ShownField, differences
from governance.console.draft_story import Action
from governance.console.subjects import person_names
from governance.console.types import Context
from governance.kernel import clock
from governance.kernel.canonical import Json
from governance.workflows.impact import Group, Impact

ROWS_PER_PAGE: Final = 10
P = TypeVar("P", bound=Proposal)


@dataclass(frozen=True, slots=True)
class ProposalWay(Generic[P]):
    """How proposals of one kind are shown and decided on: their fields, and the services that they go through."""

    proposals: Proposals[P]
    fields: Sequence[ShownField]
    put_in_force: Callable[..., Model]
    impact: Callable[..., Impact]
    changes_since: Callable[[P], str]
    before: Callable[[P], Mapping[str, Json] | None]
    target: Callable[[P], Model | None]


@dataclass(frozen=True, slots=True)
class GroupView:
    """One kind of row that a proposal reaches: how many, and a page of them. `key` names its page in the address."""

    name: str
    key: str
    count: int
    page: "Page[Any]"


def may(user: User | AnonymousUser, proposal: Proposal, verb: str) -> bool:
    """Return whether a user may `add` or `review` proposals of this kind."""
    return user.has_perm(permission(proposal, verb))


def permission(proposal: Proposal | type[Proposal], verb: str) -> str:
    """Return the name of the permission to `add` or `review` proposals of this kind."""
    return f"{proposal._meta.app_label}.{verb}_{proposal._meta.model_name}"


def proposal_story(request: HttpRequest, proposal: P, *, way: ProposalWay[P], me: str) -> Context:
    """Return what the page of a proposal shows beyond its row. `me` is the reader, as proposals name persons."""
    events = list(proposal.events.all())  # type: ignore[attr-defined]  # each kind has its own table of events
    names = person_names([*proposal.authors, proposal.decided_by, *(event.person for event in events)])
    stale = way.changes_since(proposal) if proposal.is_open else ""
    return {
        "target": way.target(proposal),
        "changes": changes_of(proposal, way=way),
        "impact": impact_view(request, proposal, way=way) if proposal.is_open else None,
        "stale": stale,
        "own": me in proposal.authors,
        "narrower": proposal.direction == Direction.NARROWER,
        "step_actions": actions(proposal, user=request.user, me=me, stale=bool(stale)),
        "authors": [names.get(each, each) for each in proposal.authors],
        "decider": names.get(proposal.decided_by, proposal.decided_by),
        "life": [(event, names.get(event.person, event.person)) for event in reversed(events)],
        "ledger": timeline(way.proposals.recorded.ref(proposal)),
    }


def changes_of(proposal: P, *, way: ProposalWay[P]) -> list[FieldDifference]:
    """Return in what a proposal differs from the version that it starts from."""
    return differences(way.fields, way.before(proposal), proposal.content)


def impact_view(request: HttpRequest, proposal: P, *, way: ProposalWay[P]) -> dict[str, Any]:
    """Return what a proposal would open and close now: how many of each kind, and a page of them."""
    return _impact_view(request, way.impact(proposal, at=clock.now()))


def impact_counts(proposal: P, *, way: ProposalWay[P], at: datetime) -> dict[str, list[tuple[str, int]]]:
    """Return how many rows of each kind a proposal would open and close."""
    impact = way.impact(proposal, at=at)
    closes = [(group.name, group.rows.count()) for group in impact.closes]
    opens = [(group.name, group.rows.count()) for group in impact.opens]
    return {"closes": closes, "opens": [] if impact.by_new_grant else opens}


def actions(proposal: Proposal, *, user: User | AnonymousUser, me: str, stale: bool) -> list[Action]:
    """Return what this person can do with the proposal now."""
    if not proposal.is_open:
        return []
    own, offered = me in proposal.authors, []
    writes, reviews = may(user, proposal, "add"), may(user, proposal, "review")
    if own and writes:
        offered.append(_action(proposal, "withdraw", "Withdraw"))
    elif reviews:
        offered.append(_action(proposal, "reject", "Reject"))
    if writes:
        offered.append(_action(proposal, "edit", "Write it anew" if stale else "Edit", primary=stale))
    if reviews and not own and not stale:
        offered.append(_action(proposal, "approve", "Approve", primary=True))
    if own and writes and proposal.direction == Direction.NARROWER and not stale:
        offered.append(_action(proposal, "approve", "Put into force now", primary=True))
    return sorted(offered, key=lambda action: action.primary)


def _action(proposal: Proposal, part: str, label: str, *, primary: bool = False) -> Action:
    meta = proposal._meta
    return Action(label, reverse(f"admin:{meta.app_label}_{meta.model_name}_{part}", args=[proposal.pk]), primary)


def _impact_view(request: HttpRequest, impact: Impact) -> dict[str, Any]:
    return {
        "closes": [_group_view(request, group, f"closes-{group.name}") for group in impact.closes],
        "opens": [_group_view(request, group, f"opens-{group.name}") for group in impact.opens],
        "by_new_grant": impact.by_new_grant,
    }


def _group_view(request: HttpRequest, group: Group, key: str) -> GroupView:
    page: Page[Any] = Paginator(group.rows, ROWS_PER_PAGE).get_page(request.GET.get(key))
    return GroupView(name=group.name, key=key, count=page.paginator.count, page=page)
