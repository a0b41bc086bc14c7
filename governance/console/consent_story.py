"""A creator's consent for display: what applies to each work, and every statement behind it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.safestring import SafeString

from governance.catalog.choices import ConsentSource, ConsentState, GrantKind
from governance.catalog.level_queries import Narrowing, narrowings_of
from governance.catalog.models import Asset, ConsentGrant, Creator
from governance.catalog.queries import effective_consents
from governance.catalog.types import EffectiveConsent
from governance.console.presentation import choice_badge
from governance.console.subjects import person_names, subject_link, user_names
from governance.console.types import Context
from governance.jobs.models import Job
from governance.kernel import clock
from governance.workflows.consent import affected_jobs

WORKS_PER_PAGE = 12
STATEMENTS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class WorkView:
    """A work with the consent that applies to it now."""

    asset: Asset
    consent: EffectiveConsent
    state: SafeString
    source: str


@dataclass(frozen=True, slots=True)
class HistoryView:
    """One event in the history of a creator's consent: a statement of theirs, or a narrower version of a level."""

    at: datetime
    who: str
    statement: ConsentGrant | None = None
    narrowing: Narrowing | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """What a withdrawal would affect: works, and open jobs that read them."""

    works: int
    jobs: int


def consent_story(creator: Creator, works_page: str) -> Context:
    """Return what a creator's page shows of works and statements."""
    works: Page[Any] = Paginator(
        Asset.objects.filter(creator=creator).select_related("dataset").order_by("-created_at"), WORKS_PER_PAGE
    ).get_page(works_page)
    assets = list(works.object_list)
    consents = effective_consents(assets, clock.now())
    statements = list(
        ConsentGrant.objects.filter(creator=creator)
        .select_related("level__in_force", "level_version", "asset")
        .order_by("-epoch", "asset__title")[: STATEMENTS_SHOWN + 1]
    )
    more = len(statements) > STATEMENTS_SHOWN
    shown = _statement_views(statements[:STATEMENTS_SHOWN])
    oldest = shown[-1].at if more else None
    shown += [each for each in _narrowing_views(creator) if oldest is None or each.at >= oldest]
    return {
        "works": works,
        "work_views": [_work(asset, consents[asset.id]) for asset in assets],
        "history": sorted(shown, key=lambda each: each.at, reverse=True),
        "more_statements": more,
        "default": current_default(creator),
        "default_state": default_state(creator),
    }


def _statement_views(statements: list[ConsentGrant]) -> list[HistoryView]:
    names = user_names(each.recorded_by_id for each in statements if each.recorded_by_type == "user")
    return [
        HistoryView(
            at=each.created_at,
            who=subject_link(each.recorded_by_type, each.recorded_by_id, names.get(each.recorded_by_id, "")),
            statement=each,
        )
        for each in statements
    ]


def _narrowing_views(creator: Creator) -> list[HistoryView]:
    found = narrowings_of(creator)
    names = person_names(each.version.proposal.decided_by for each in found)
    return [
        HistoryView(at=each.at, who=names.get(person, person), narrowing=each)
        for each in found
        for person in [each.version.proposal.decided_by]
    ]


def current_default(creator: Creator) -> ConsentGrant | None:
    """Return the newest default statement that has begun."""
    defaults = ConsentGrant.objects.filter(creator=creator, asset=None, valid_from__lte=clock.now())
    return defaults.select_related("level__in_force", "level_version").order_by("-epoch").first()


def default_state(creator: Creator) -> SafeString:
    """Return what the creator's default amounts to now, as a badge."""
    statement = current_default(creator)
    if statement is None:
        state = ConsentState.NONE
    elif statement.kind == GrantKind.WITHDRAWAL:
        state = ConsentState.WITHDRAWN
    elif statement.valid_until is not None and statement.valid_until <= clock.now():
        state = ConsentState.EXPIRED
    else:
        state = ConsentState.ACTIVE
    return choice_badge(state.value, str(state.label))


def reach_of_withdrawal(*, creator: Creator, asset: Asset | None, everything: bool) -> Reach:
    """Return how many works lose consent and how many open jobs are decided again."""
    if asset is not None:
        return Reach(1, affected_jobs(creator=creator, asset=asset).distinct().count())
    works = Asset.objects.filter(creator=creator)
    if not everything:
        works = works.filter(consent_grants=None)
    jobs = affected_jobs(creator=creator, asset=None).filter(inputs__asset__in=works)
    return Reach(works.count(), Job.objects.filter(id__in=jobs.values("id")).count())


def _work(asset: Asset, consent: EffectiveConsent) -> WorkView:
    source = ConsentSource(consent.source).label if consent.source != ConsentSource.NONE else ""
    return WorkView(asset, consent, choice_badge(consent.state, str(ConsentState(consent.state).label)), str(source))
