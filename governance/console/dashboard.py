"""The first page: the state of the marketplace, from real rows only."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Min, Q
from django.db.models.functions import TruncHour
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from governance.audit.choices import ScrubState
from governance.audit.models import EvidenceRecord, ReconciliationReport, ScrubRun
from governance.catalog.choices import ProposalState
from governance.catalog.models import ConsentLevelProposal, Creator, UploadReview
from governance.catalog.proposals import Proposal
from governance.console.choices import AccessState
from governance.console.log_state import log_state
from governance.console.models import AccessProposal
from governance.console.presentation import TONES, duration, list_url, page_url
from governance.console.types import Context
from governance.decisions.choices import DecisionEffect
from governance.decisions.models import DecisionRecord
from governance.jobs.choices import JobState
from governance.jobs.models import OPEN_STATES, Job
from governance.kernel import clock
from governance.opa.models import OpaDecisionLog
from governance.registry.models import LicenceProposal, ModelLicenceProposal
from governance.rulebook.queries import active_freeze, active_revision

DAY = timedelta(hours=24)
WEEK = timedelta(days=7)
REASONS_SHOWN = 6
OPEN_QUERY = "?" + urlencode({"state__exact": OPEN_STATES}, doseq=True)
SLOW_SECONDS = 60
LAG_SECONDS = 30
RECONCILED_EVERY = timedelta(hours=36)  # it runs each night


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the dashboard, with its explanation and link."""

    name: str
    value: str
    note: str
    link: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a bar list; `share` is its percentage of the largest."""

    label: str
    count: int
    share: int
    tone: str
    link: str = ""


def context(request: HttpRequest, context: Context) -> Context:
    """Add the data of the first page to its context. Each part requires the permission to view its table."""
    now = clock.now()
    context["title"] = "Dashboard"
    sees = {name: request.user.has_perm(name) for name in PARTS}
    context["figures"] = [figure for name, part in PARTS.items() if sees[name] for figure in part(now)]
    if sees["jobs.view_job"]:
        context["job_bars"] = job_bars()
        context["latest_jobs"] = Job.objects.select_related("partner", "model_version__model").order_by("-created_at")[
            :8
        ]
    if sees["decisions.view_decisionrecord"]:
        context["decision_chart"] = decision_chart(now)
        context["decisions"] = {"day": _effects(now - DAY), "week": _effects(now - WEEK)}
        context["reason_bars"] = reason_bars(now - WEEK)
    if sees["rulebook.view_policyrevision"]:
        context["active_revision"] = active_revision()
        context["freeze"] = active_freeze()
    if sees["audit.view_ledgerentry"]:
        context["log"] = log_state()
    context["roleless"] = not any(sees.values())
    context["fresh"] = any(sees.values()) and not (Creator.objects.exists() or Job.objects.exists())
    return context


def job_figures(now: datetime) -> list[Figure]:
    """Return how much work is open and how long the oldest of it waits."""
    open_jobs = Job.objects.filter(state__in=OPEN_STATES).aggregate(
        count=Count("id"), waiting=Count("id", filter=Q(state=JobState.QUEUED)), oldest=Min("created_at")
    )
    waited = (now - open_jobs["oldest"]).total_seconds() if open_jobs["oldest"] else 0.0
    return [
        Figure(
            name="Open jobs",
            value=f"{open_jobs['count']:,}",
            note=f"{open_jobs['waiting']:,} in the queue",
            link=list_url(Job, OPEN_QUERY if open_jobs["count"] else ""),
        ),
        Figure(
            name="Oldest open job",
            value=duration(max(waited, 1), parts=1) if open_jobs["oldest"] else "–",
            note="since it was submitted" if open_jobs["oldest"] else "nothing waits",
            tone="warn" if waited > SLOW_SECONDS else "",
        ),
    ]


def decision_figures(now: datetime) -> list[Figure]:
    """Return the number of decisions in a day and the share of denials."""
    effects = _effects(now - DAY)
    total = effects["permit"] + effects["deny"]
    share = f"{effects['deny'] / total:.0%} denied" if total else "nothing was asked"
    return [Figure("Decisions, 24 h", f"{total:,}", share, list_url(DecisionRecord))]


def evidence_figures(now: datetime) -> list[Figure]:
    """Return how many evidence records exist and how many are not in WORM storage yet."""
    records = EvidenceRecord.objects.aggregate(
        count=Count("id"),
        waiting=Count("id", filter=Q(worm_reference=None)),
        oldest=Min("created_at", filter=Q(worm_reference=None)),
    )
    late = records["oldest"] is not None and (now - records["oldest"]).total_seconds() > LAG_SECONDS
    note = f"{records['waiting']:,} waiting for WORM" if records["waiting"] else "all in WORM storage"
    link = list_url(EvidenceRecord, "?anchored=no" if records["waiting"] else "")
    return [
        Figure(
            "Evidence records",
            f"{records['count']:,}",
            note if records["count"] else "none yet",
            link,
            "warn" if late else "",
        )
    ]


def scrub_figures(now: datetime) -> list[Figure]:
    """Return the result of the last scrub."""
    newest = ScrubRun.objects.first()
    if newest is None:
        return [Figure("WORM scrub", "–", "never", list_url(ScrubRun), "warn")]
    found, running = len(newest.faults), newest.state == ScrubState.RUNNING
    note = f"{newest.done:,} of {newest.total:,} objects read" if running else f"{newest.done:,} objects read back"
    faults = "1 fault" if found == 1 else f"{found:,} faults"
    value = faults if found else "running" if running else "clean"
    return [Figure("WORM scrub", value, note, page_url(newest), "bad" if found else "")]


def reconciliation_figures(now: datetime) -> list[Figure]:
    """Return the result of the last reconciliation."""
    newest = ReconciliationReport.objects.first()
    if newest is None:
        return [Figure("Reconciliation", "–", "never", list_url(ReconciliationReport), "warn")]
    age = now - newest.finished_at
    late = age > RECONCILED_EVERY
    value = "complete" if newest.ok else f"{newest.fault_count:,} fault{'s' if newest.fault_count > 1 else ''}"
    note = f"{duration(max(age.total_seconds(), 1), parts=1)} ago{', overdue' if late else ''}"
    tone = "bad" if not newest.ok else "warn" if late else ""
    return [Figure("Reconciliation", value, note, page_url(newest), tone)]


def level_proposal_figures(now: datetime) -> list[Figure]:
    """Return how many proposed versions of consent levels wait to be decided on."""
    return _waiting(ConsentLevelProposal, "Level proposals")


def licence_proposal_figures(now: datetime) -> list[Figure]:
    """Return how many proposed versions of licences wait to be decided on."""
    return _waiting(LicenceProposal, "Licence proposals")


def model_licence_proposal_figures(now: datetime) -> list[Figure]:
    """Return how many proposed moves of models to other licences wait to be decided on."""
    return _waiting(ModelLicenceProposal, "Moves of models")


def access_proposal_figures(now: datetime) -> list[Figure]:
    """Return how many proposals of more access for users and groups wait to be decided on."""
    count = AccessProposal.objects.filter(state=AccessState.OPEN).count()
    link = list_url(AccessProposal, f"?state__exact={AccessState.OPEN}")
    return [Figure("Access proposals", f"{count:,}", "waiting for review", link, "warn")] if count else []


def claim_figures(now: datetime) -> list[Figure]:
    """Return how many uploads wait for a person."""
    count = UploadReview.objects.filter(decision="").count()
    return [Figure("Claims", f"{count:,}", "uploads waiting", list_url(UploadReview), "warn")] if count else []


def opa_figures(now: datetime) -> list[Figure]:
    """Return how many questions somebody else asked an OPA server in a day; nothing while nobody did."""
    count = OpaDecisionLog.objects.filter(question="", received_at__gte=now - DAY).count()
    link = reverse("admin:opa_opaserver_reconcile")
    return [Figure("Asked past Assent", f"{count:,}", "directly at OPA, 24 h", link, "bad")] if count else []


def _waiting(model: type[Proposal], name: str) -> list[Figure]:
    """Return a figure only while something waits: an empty queue is no news."""
    count = model._default_manager.filter(state=ProposalState.OPEN).count()
    link = list_url(model, f"?state__exact={ProposalState.OPEN}")
    return [Figure(name, f"{count:,}", "waiting for review", link, "warn")] if count else []


PARTS: dict[str, Callable[[datetime], list[Figure]]] = {
    "console.view_accessproposal": access_proposal_figures,
    "jobs.view_job": job_figures,
    "decisions.view_decisionrecord": decision_figures,
    "audit.view_ledgerentry": lambda _: [],
    "audit.view_evidencerecord": evidence_figures,
    "audit.view_scrubrun": scrub_figures,
    "audit.view_reconciliationreport": reconciliation_figures,
    "rulebook.view_policyrevision": lambda _: [],
    "catalog.view_consentlevelproposal": level_proposal_figures,
    "registry.view_licenceproposal": licence_proposal_figures,
    "registry.view_modellicenceproposal": model_licence_proposal_figures,
    "catalog.view_uploadreview": claim_figures,
    "opa.view_opaserver": opa_figures,
}


def job_bars() -> list[Bar]:
    """Return how many jobs there are in each state that has any."""
    counts = dict(Job.objects.order_by().values_list("state").annotate(count=Count("id")))
    largest = max(counts.values(), default=0)
    return [
        Bar(
            label=str(state.label),
            count=counts[state],
            share=max(1, round(counts[state] * 100 / largest)),
            tone=TONES[state],
            link=list_url(Job, f"?state__exact={state}"),
        )
        for state in JobState
        if counts.get(state)
    ]


def reason_bars(since: datetime) -> list[Bar]:
    """Return the reason codes that denied most often since a moment."""
    codes = (
        DecisionRecord.objects.filter(effect=DecisionEffect.DENY, decided_at__gte=since)
        .annotate(code=F("reason_codes__0"))
        .order_by()
        .values_list("code")
        .annotate(count=Count("id"))
        .order_by("-count", "code")[:REASONS_SHOWN]
    )
    largest = max((count for _, count in codes), default=0)
    return [
        Bar(code, count, max(1, round(count * 100 / largest)), "bad", list_url(Job, f"?q={code}"))
        for code, count in codes
        if code
    ]


def decision_chart(now: datetime) -> str:
    """Return permits and denials of the last 24 hours by hour, as data for Chart.js; empty when there are none."""
    first = (now - DAY + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    rows = (
        DecisionRecord.objects.filter(decided_at__gte=first)
        .annotate(hour=TruncHour("decided_at"))
        .order_by()
        .values_list("hour", "effect")
        .annotate(count=Count("id"))
    )
    counts = {(hour, effect): count for hour, effect, count in rows}
    if not counts:
        return ""
    hours = [first + timedelta(hours=step) for step in range(24)]
    series = ((DecisionEffect.PERMIT, "Permitted", "#22a35a"), (DecisionEffect.DENY, "Denied", "#e5484d"))
    return json.dumps(
        {
            "labels": [f"{hour:%H:00}" for hour in hours],
            "datasets": [
                {
                    "label": label,
                    "data": [counts.get((hour, effect), 0) for hour in hours],
                    "backgroundColor": colour,
                    "maxBarThickness": 18,
                    "borderRadius": 2,
                    "displayYAxis": True,
                }
                for effect, label, colour in series
            ],
        }
    )


def _effects(since: datetime) -> dict[str, int]:
    return DecisionRecord.objects.filter(decided_at__gte=since).aggregate(
        permit=Count("id", filter=Q(effect=DecisionEffect.PERMIT)),
        deny=Count("id", filter=Q(effect=DecisionEffect.DENY)),
    )
