"""Jobs, from request to evidence."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import (
    AutocompleteSelectMultipleFilter,
    ChoicesCheckboxFilter,
    RangeDateTimeFilter,
    RelatedCheckboxFilter,
)

from governance.console.base import StoryAdmin, actor_of
from governance.console.job_story import job_story
from governance.console.pages import Page, form_page, require, sent
from governance.console.pictures import picture_response
from governance.console.presentation import choice_badge, code, link, moment, page_url
from governance.console.subjects import subject_link
from governance.jobs.choices import JobState
from governance.jobs.models import WORKED_ON, Job, JobOutput
from governance.jobs.states import ENDED
from governance.kernel import clock
from governance.workflows.cancel_job import cancel_job


@admin.register(Job)
class JobAdmin(StoryAdmin):
    """Every request of a partner to run a model."""

    intro = (
        "Every request of a partner to run a model: what was asked, what was decided and why, and where the proof is. "
        "Open a job to see its whole story."
    )
    empty_text = "Jobs appear when partners submit them through the API."
    story_template = "console/job.html"
    list_display = ["name", "state_", "partner_", "model_", "purpose_", "why", "tries", "age"]
    list_filter = [
        ("state", ChoicesCheckboxFilter),
        ("partner", AutocompleteSelectMultipleFilter),
        ("purpose", ChoicesCheckboxFilter),
        ("model_version__model", RelatedCheckboxFilter),
        ("created_at", RangeDateTimeFilter),
    ]
    list_select_related = ["partner", "model_version__model"]
    date_hierarchy = "created_at"
    search_ids = ("id",)
    search_fields = ["partner__slug__exact", "idempotency_key__exact", "request_id__exact", "reason_code__exact"]
    search_help_text = "Id of a job or request, an idempotency key, a partner or a reason code"
    row_pages = {"cancel": "cancel_page", "output": "output_picture"}
    kept_pages = frozenset({"output"})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        jobs: QuerySet[Job] = super().get_queryset(request)
        return jobs.select_related(
            "partner", "client", "model_version__model__licence__in_force", "output", "candidate"
        )

    @admin.display(description="Job", ordering="created_at")
    def name(self, job: Job) -> SafeString:
        return format_html("{} {}", job.get_task_display().split(" (")[0], code(f"…{str(job.pk)[-12:]}"))

    @admin.display(description="State", ordering="state")
    def state_(self, job: Job) -> SafeString:
        return choice_badge(job.state, job.get_state_display())

    @admin.display(description="Partner", ordering="partner__name")
    def partner_(self, job: Job) -> str:
        return job.partner.name

    @admin.display(description="Model", ordering="model_version__model__slug")
    def model_(self, job: Job) -> str:
        return str(job.model_version)

    @admin.display(description="Purpose", ordering="purpose")
    def purpose_(self, job: Job) -> str:
        return job.get_purpose_display()

    @admin.display(description="Reason", ordering="reason_code")
    def why(self, job: Job) -> SafeString:
        return code(job.reason_code)

    @admin.display(description="Attempts", ordering="attempts")
    def tries(self, job: Job) -> str:
        return f"{job.attempts} of {job.max_attempts}"

    @admin.display(description="Submitted (UTC)", ordering="created_at")
    def age(self, job: Job) -> SafeString:
        return moment(job.created_at)

    def story(self, request: HttpRequest, row: Job) -> dict[str, Any]:
        return {
            **job_story(row),
            "state": choice_badge(row.state, row.get_state_display()),
            "client": subject_link("client", row.client.client_id),
            "partner": link(row.partner),
            "version": link(row.model_version),
            "worked_on": row.state in WORKED_ON,
            "overdue": row.finished_at is None and row.deadline < clock.now(),
            "can_cancel": _cancellable(row) and request.user.has_perm("jobs.change_job"),
        }

    def cancel_page(self, request: HttpRequest, row: Job) -> HttpResponse:
        """Cancel the job after a confirmation."""
        require(request, "jobs.change_job")
        working = row.state in WORKED_ON
        page = Page(
            title="Cancel this job?",
            submit="Cancel the job",
            back=page_url(row),
            intro=(
                "A worker is running the job: it will stop at its next safe point, and nothing is released."
                if working
                else "The job is waiting. It is cancelled at once, and evidence of that is issued."
            ),
            danger=True,
        )

        def perform(data: dict[str, Any]) -> HttpResponse:
            job = cancel_job(job=row, actor=actor_of(request))
            done = job.state == JobState.CANCELLED
            messages.success(request, "The job is cancelled." if done else "The worker was asked to stop.")
            return HttpResponseRedirect(page_url(row))

        return form_page(request, admin=self, page=page, form=Form(**sent(request)), perform=perform, row=row)

    def output_picture(self, request: HttpRequest, row: Job) -> HttpResponse:
        """Return a small picture of the output."""
        require(request, "jobs.view_joboutput")
        output = JobOutput.objects.filter(job=row).first()
        if output is None:
            raise Http404("This job has no output.")
        return picture_response(request, output.object_name, output.sha256)


def _cancellable(job: Job) -> bool:
    return job.state not in ENDED and job.state != JobState.SEALING and not job.cancel_requested
