"""Verdicts of moderation models."""

from django.contrib import admin
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateTimeFilter

from governance.console.base import HistoryAdmin
from governance.console.presentation import badge, chips, code, label_texts, moment, score_meter
from governance.console.subjects import subject_link
from governance.moderation.models import ModerationVerdict


@admin.register(ModerationVerdict)
class ModerationVerdictAdmin(HistoryAdmin):
    """Verdicts on inputs and outputs. They are facts for the release decision, not decisions themselves."""

    intro = (
        "What the moderation model detected in each input and output. The score is the highest confidence of an unsafe "
        "label, from 0 to 1; policy decides what follows from it."
    )
    empty_text = "Inputs are moderated before a model runs, outputs before they are released."
    list_display = ["stage_", "score_", "seen", "about", "moderator", "took", "when"]
    list_display_links = ["stage_"]
    list_filter = [
        ("stage", ChoicesCheckboxFilter),
        ("created_at", RangeDateTimeFilter),
    ]
    date_hierarchy = "created_at"
    search_ids = ("id", "job_id")
    search_fields = ["content_sha256__exact", "moderator"]
    search_help_text = "Id of a verdict or job, a digest, or a moderator"
    fields = ["stage_", "score_", "seen", "about", "moderator", "artifact", "content_", "attempt", "took", "when"]
    readonly_fields = fields

    @admin.display(description="Stage", ordering="stage")
    def stage_(self, verdict: ModerationVerdict) -> SafeString:
        """Return the stage as a badge."""
        return badge(verdict.get_stage_display())

    @admin.display(description="Score", ordering="score")
    def score_(self, verdict: ModerationVerdict) -> SafeString:
        """Return the score as a meter."""
        return score_meter(verdict.score)

    @admin.display(description="Labels seen")
    def seen(self, verdict: ModerationVerdict) -> SafeString:
        """Return the labels with their scores."""
        return chips(label_texts(verdict), empty="none seen")

    @admin.display(description="Job")
    def about(self, verdict: ModerationVerdict) -> SafeString:
        """Return the job, linked."""
        return subject_link("job", str(verdict.job_id))

    @admin.display(description="Model artifact (SHA-256)")
    def artifact(self, verdict: ModerationVerdict) -> SafeString:
        return code(verdict.moderator_sha256)

    @admin.display(description="Content (SHA-256)")
    def content_(self, verdict: ModerationVerdict) -> SafeString:
        return code(verdict.content_sha256)

    @admin.display(description="Lease")
    def attempt(self, verdict: ModerationVerdict) -> str:
        """Return the fencing token of the lease that it is for."""
        return f"#{verdict.fencing_token}"

    @admin.display(description="Took", ordering="duration_ms")
    def took(self, verdict: ModerationVerdict) -> str:
        """Return how long it took."""
        return f"{verdict.duration_ms} ms"

    @admin.display(description="Seen (UTC)", ordering="created_at")
    def when(self, verdict: ModerationVerdict) -> SafeString:
        """Return when it was seen, in UTC."""
        return moment(verdict.created_at)
