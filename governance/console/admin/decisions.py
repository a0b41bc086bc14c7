"""Decisions with their reasons, and the permits that follow from them."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateTimeFilter

from governance.audit.queries import timeline
from governance.audit.types import SubjectRef
from governance.console.base import StoryAdmin
from governance.console.evaluations import EvaluationView, ExplanationView, evaluation_views, rule_views
from governance.console.filters import PurposeFilter
from governance.console.forms.playground import KINDS, PlaygroundForm
from governance.console.pages import Page, form_page, render_page, require, sent
from governance.console.playground import ask
from governance.console.presentation import chips, choice_badge, code, digest, list_url, moment, permit_badge
from governance.console.subjects import subject_link
from governance.console.types import Cleaned, Context
from governance.decisions.explanations import explain_decision
from governance.decisions.models import DecisionRecord, Permit
from governance.decisions.reevaluation import remake
from governance.kernel.errors import GovernanceError
from governance.rulebook.models import PolicyRevision


@admin.register(DecisionRecord)
class DecisionRecordAdmin(StoryAdmin):
    """Every answer of the policy decision point."""

    intro = (
        "Every answer of the policy decision point, with the facts it rested on and the rules that matched. "
        "A job is decided at admission, again when a worker asks for a permit, and once more before release."
    )
    empty_text = "Decisions appear when partners submit jobs through the API."
    story_template = "console/decision.html"
    list_pages = {"playground": "playground_page"}
    list_display = ["answer", "kind_", "partner", "purpose", "why", "about", "took", "when"]
    list_filter = [
        ("effect", ChoicesCheckboxFilter),
        ("kind", ChoicesCheckboxFilter),
        PurposeFilter,
        ("decided_at", RangeDateTimeFilter),
    ]
    search_ids = ("id", "job_id")
    search_fields = ["partner__exact", "client_id__exact", "request_id__exact"]
    search_help_text = "Id of a decision, job, request or client, or a partner"
    date_hierarchy = "decided_at"

    @admin.display(description="Effect", ordering="effect")
    def answer(self, decision: DecisionRecord) -> SafeString:
        """Return the effect as a badge."""
        return choice_badge(decision.effect, decision.get_effect_display())

    @admin.display(description="Asked at", ordering="kind")
    def kind_(self, decision: DecisionRecord) -> str:
        """Return at which step it was asked."""
        return decision.get_kind_display()

    @admin.display(description="Reasons")
    def why(self, decision: DecisionRecord) -> SafeString:
        """Return the reason codes."""
        return chips(decision.reason_codes)

    @admin.display(description="Job")
    def about(self, decision: DecisionRecord) -> SafeString:
        """Return the job, linked."""
        return subject_link("job", str(decision.job_id))

    @admin.display(description="Engine time", ordering="duration_us")
    def took(self, decision: DecisionRecord) -> str:
        """Return how long the engine took, in milliseconds."""
        return f"{decision.duration_us / 1000:.2f} ms"

    @admin.display(description="Decided (UTC)", ordering="decided_at")
    def when(self, decision: DecisionRecord) -> SafeString:
        """Return when it was decided, in UTC."""
        return moment(decision.decided_at)

    def playground_page(self, request: HttpRequest) -> HttpResponse:
        """Ask policy a question without consequences."""
        require(request, "decisions.view_decisionrecord")
        form = PlaygroundForm(**sent(request)) if request.method == "POST" else PlaygroundForm(initial=request.GET)
        page = Page(
            title="Playground",
            submit="Ask",
            back=list_url(DecisionRecord),
            intro="What would policy decide? Nothing is recorded or done.",
            template="console/playground.html",
        )

        def perform(data: Cleaned) -> HttpResponse:
            return render_page(request, admin=self, page=page, context={"form": form, "found": ask(data)})

        return form_page(request, admin=self, page=page, form=form, perform=perform)

    def story(self, request: HttpRequest, row: DecisionRecord) -> Context:
        """Return what the page of a row shows."""
        return {
            "effect": choice_badge(row.effect, row.get_effect_display()),
            "job": subject_link("job", str(row.job_id)),
            "client": subject_link("client", row.client_id),
            "evaluations": evaluation_views(row),
            "explained": _explained(row),
            "remade": _remade(row) if "remake" in request.GET else None,
            "permit": Permit.objects.filter(decision=row).first(),
            "revision": PolicyRevision.objects.filter(digest=row.revision_digest).first(),
            "ledger": timeline(SubjectRef("decision", str(row.pk))),
        }


def _remade(row: DecisionRecord) -> dict[str, Any]:
    """Return the decision made again with the revision of its day, or why that is not possible."""
    try:
        return {"again": remake(row)}
    except GovernanceError as error:
        return {"problem": error.message}


def _explained(row: DecisionRecord) -> list[tuple[EvaluationView, ExplanationView, str]]:
    """Return each evaluation with its explanation and the address of the same question in the playground."""
    views = zip(evaluation_views(row), explain_decision(row), row.evaluations, strict=True)
    return [(view, rule_views(explanation), _playground_url(row, each)) for view, explanation, each in views]


def _playground_url(row: DecisionRecord, evaluation: dict[str, Any]) -> str:
    facts, resource = evaluation["facts"], evaluation["resource"]
    if not evaluation["action"].startswith(KINDS):
        return ""
    asked = {
        "client": row.client_id,
        "action": evaluation["action"],
        "purpose": row.purpose,
        "work": resource["id"] if resource["type"] == "asset" else "",
        "model": facts.get("model", {}).get("slug", ""),
    }
    return f"{reverse('admin:decisions_decisionrecord_playground')}?{urlencode(asked)}"


@admin.register(Permit)
class PermitAdmin(StoryAdmin):
    """Signed, single-use, short-lived permits to run a job."""

    intro = (
        "A permit lets one worker run one job, once, within seconds, on exactly one input with exactly one model "
        "artifact. Without it the model runtime refuses."
    )
    empty_text = "A permit is issued when a worker takes a job and policy still allows it."
    story_template = "console/permit.html"
    list_display = ["name", "status", "about", "attempt", "input_", "artifact", "when", "until"]
    list_filter = [("issued_at", RangeDateTimeFilter)]
    date_hierarchy = "issued_at"
    search_ids = ("id", "job_id")
    search_fields = ["input_sha256__exact", "artifact_sha256__exact"]
    search_help_text = "A permit or job id, or a digest"

    @admin.display(description="Permit")
    def name(self, permit: Permit) -> SafeString:
        """Return the end of its id, by which people tell it from others."""
        return code(f"…{str(permit.pk)[-12:]}")

    @admin.display(description="Status")
    def status(self, permit: Permit) -> SafeString:
        """Return the status as a badge."""
        return permit_badge(permit)

    @admin.display(description="Job")
    def about(self, permit: Permit) -> SafeString:
        """Return the job, linked."""
        return subject_link("job", str(permit.job_id))

    @admin.display(description="Lease", ordering="fencing_token")
    def attempt(self, permit: Permit) -> str:
        """Return the fencing token of the lease that it is for."""
        return f"#{permit.fencing_token}"

    @admin.display(description="Input")
    def input_(self, permit: Permit) -> SafeString:
        """Return the digest of the input, shortened."""
        return digest(permit.input_sha256)

    @admin.display(description="Artifact")
    def artifact(self, permit: Permit) -> SafeString:
        """Return what is known of the artifact."""
        return digest(permit.artifact_sha256)

    @admin.display(description="Issued (UTC)", ordering="issued_at")
    def when(self, permit: Permit) -> SafeString:
        """Return when it was issued, in UTC."""
        return moment(permit.issued_at)

    @admin.display(description="Expires (UTC)", ordering="expires_at")
    def until(self, permit: Permit) -> SafeString:
        """Return when it expires, in UTC."""
        return moment(permit.expires_at)

    def story(self, request: HttpRequest, row: Permit) -> Context:
        """Return what the page of a row shows."""
        return {
            "status": permit_badge(row),
            "job": subject_link("job", str(row.job_id)),
            "lifetime": (row.expires_at - row.issued_at).total_seconds(),
            "revision": PolicyRevision.objects.filter(digest=row.revision_digest).first(),
            "ledger": timeline(SubjectRef("permit", str(row.pk))),
        }
