"""Claims: uploads that wait for a person, beside the works of other creators that have the same bytes."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AllValuesCheckboxFilter, ChoicesCheckboxFilter, RangeDateTimeFilter

from governance.audit.queries import timeline
from governance.catalog.choices import ReviewCause, ReviewDecision
from governance.catalog.models import Asset, UploadReview
from governance.catalog.review_decisions import decide_review
from governance.catalog.reviews import rivals
from governance.catalog.states import UPLOAD_REVIEWS
from governance.console.base import StoryAdmin, actor_of
from governance.console.forms.claims import ClaimForm
from governance.console.meanwhile import carry_seen
from governance.console.pages import Page, form_page, require, sent
from governance.console.presentation import badge, choice_badge, digest, link, moment, page_url
from governance.console.subjects import person_names, subject_link
from governance.console.types import Cleaned, Context

DECIDE = "catalog.decide_uploadreview"


@admin.register(UploadReview)
class UploadReviewAdmin(StoryAdmin):
    """Uploads that wait for a person."""

    intro = (
        "Uploads that wait for a person: bytes that another creator's work has, and spot checks. Until then policy "
        "denies every use of them. Partners only see that a work is waiting for review."
    )
    empty_title = "No claims"
    empty_text = "An upload of bytes that another creator's work has appears here."
    story_template = "console/claim.html"
    list_display = ["picture_", "work", "creator_", "cause_", "state_badge", "opened", "by", "decided"]
    list_display_links = ["picture_", "work"]
    list_filter = [
        ("decision", AllValuesCheckboxFilter),
        ("cause", ChoicesCheckboxFilter),
        ("opened_at", RangeDateTimeFilter),
    ]
    search_ids = ("id", "asset__id")
    search_fields = ["asset__title", "asset__sha256__exact", "asset__creator__slug__exact"]
    search_help_text = "A title, a creator's slug, an id or a digest"
    list_select_related = ["asset__creator"]
    row_pages = {"decide": "decide_page"}

    def prepare(self, rows: list[Any]) -> None:
        """Look up the names of people, for all rows at once."""
        names = person_names([row.decided_by for row in rows])
        for row in rows:
            row.decider = names.get(row.decided_by, row.decided_by)

    @admin.display(description="")
    def picture_(self, review: UploadReview) -> SafeString:
        """Return the thumbnail."""
        url = reverse("admin:catalog_asset_picture", args=[review.asset_id])
        return format_html('<img class="as-thumb" loading="lazy" src="{}" alt="">', url)

    @admin.display(description="Work", ordering="asset__title")
    def work(self, review: UploadReview) -> str:
        """Return the title of the upload."""
        return review.asset.title

    @admin.display(description="Uploaded for", ordering="asset__creator__slug")
    def creator_(self, review: UploadReview) -> SafeString:
        """Return the creator, linked."""
        return link(review.asset.creator)

    @admin.display(description="Why it waits", ordering="cause")
    def cause_(self, review: UploadReview) -> str:
        """Return why a person has to decide."""
        return str(ReviewCause(review.cause).label)

    @admin.display(description="State", ordering="decision")
    def state_badge(self, review: UploadReview) -> SafeString:
        """Return the decision as a badge."""
        return claim_badge(review)

    @admin.display(description="Uploaded (UTC)", ordering="opened_at")
    def opened(self, review: UploadReview) -> SafeString:
        """Return when it was uploaded, in UTC."""
        return moment(review.opened_at)

    @admin.display(description="Decided by")
    def by(self, review: Any) -> str:
        """Return who decided."""
        return str(review.decider or "–")

    @admin.display(description="Decided (UTC)", ordering="decided_at")
    def decided(self, review: UploadReview) -> SafeString:
        """Return when it was decided, in UTC."""
        return moment(review.decided_at)

    def story(self, request: HttpRequest, row: UploadReview) -> Context:
        """Return both sides: the upload, and the works of other creators with the same bytes."""
        asset = Asset.objects.select_related("creator", "dataset").get(pk=row.asset_id)
        others = rivals(sha256=asset.sha256, creator_id=asset.creator_id).select_related("creator", "dataset")
        return {
            "claim": row,
            "state": claim_badge(row),
            "upload": _side(asset),
            "others": [_side(other) for other in others],
            "sha256": digest(asset.sha256),
            "decider": person_names([row.decided_by]).get(row.decided_by, row.decided_by),
            "may_decide": request.user.has_perm(DECIDE),
            "own": (asset.uploaded_by_type, asset.uploaded_by_id) == ("user", str(request.user.pk)),
            "ledger": timeline(UPLOAD_REVIEWS.ref(row)),
        }

    def decide_page(self, request: HttpRequest, row: UploadReview) -> HttpResponse:
        """Decide on a claim, with a reason."""
        require(request, DECIDE)
        asset = row.asset
        contested = rivals(sha256=asset.sha256, creator_id=asset.creator_id).exists()
        page = Page(
            title=f"Decide on “{asset}”",
            submit="Decide",
            back=page_url(row),
            intro="The decision holds at once, for waiting jobs too, and can be made anew later.",
        )

        def perform(data: Cleaned) -> HttpResponse:
            decision = ReviewDecision(data["decision"])
            decide_review(
                review=row, decision=decision, reason=data["reason"], actor=actor_of(request), seen=data.get("seen")
            )
            messages.success(request, f"The claim was decided: {decision.label.lower()}.")
            return HttpResponseRedirect(page_url(row))

        form = carry_seen(ClaimForm(**sent(request), contested=contested, review=row), row)
        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)


def claim_badge(review: UploadReview) -> SafeString:
    """Return the badge of what was decided on a claim."""
    if not review.decision:
        return badge("Waiting", "warn")
    return choice_badge(review.decision, review.get_decision_display())


def _side(asset: Asset) -> Context:
    return {
        "asset": asset,
        "status": choice_badge(asset.status, asset.get_status_display()),
        "uploader": subject_link(asset.uploaded_by_type, asset.uploaded_by_id),
    }
