"""Policy revisions: what decided when, what each one changed, and how to roll back."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter

from governance.audit.queries import timeline
from governance.audit.types import SubjectRef
from governance.console.base import StoryAdmin, actor_of
from governance.console.forms.drafts import ReasonForm
from governance.console.pages import Page, form_page, require, sent
from governance.console.policy_changes import diff_view
from governance.console.presentation import badge, digest, moment, page_url
from governance.console.subjects import person_names
from governance.console.types import Cleaned, Context
from governance.kernel.errors import GovernanceError
from governance.kernel.json_reading import read_json_object
from governance.kernel.parsing import parse_object
from governance.rulebook.activation import previous_revision, roll_back
from governance.rulebook.content import ABAC
from governance.rulebook.diff import sentence_of
from governance.rulebook.models import PolicyRevision
from governance.rulebook.queries import active_revision, find_revision, revision_rules


@admin.register(PolicyRevision)
class PolicyRevisionAdmin(StoryAdmin):
    """Signed, immutable sets of rules."""

    intro = (
        "Every set of rules that ever decided, named by the digest of its content, signed, kept in WORM storage, and "
        "never changed. One is active; each decision names the revision that made it."
    )
    empty_text = "Nothing is permitted until a first draft is approved and activated."
    story_template = "console/revision.html"
    list_display = ["name", "state_badge", "digest_", "rule_count", "note", "author", "when"]
    list_filter = [("created_at", RangeDateTimeFilter)]
    search_ids = ("id",)
    search_fields = ["digest__startswith", "note"]
    search_help_text = "The beginning of a digest, or a word of the note"
    row_pages = {"rollback": "rollback_page"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[PolicyRevision]:
        """Return the rows with what the list shows beside their columns."""
        revisions: QuerySet[PolicyRevision] = super().get_queryset(request)
        return revisions.defer("content", "signature")

    def prepare(self, rows: list[Any]) -> None:
        """Look up the authors and which revision decides, for all rows at once."""
        active = active_revision()
        names = person_names([row.created_by for row in rows])
        for row in rows:
            row.active = row == active
            row.author_name = names.get(row.created_by, row.created_by)

    @admin.display(description="Revision", ordering="number")
    def name(self, revision: PolicyRevision) -> str:
        """Return the revision."""
        return str(revision)

    @admin.display(description="")
    def state_badge(self, revision: Any) -> SafeString:
        """Return whether it is the one that decides, as a badge."""
        return badge("Active", "good") if revision.active else SafeString("")

    @admin.display(description="Digest")
    def digest_(self, revision: PolicyRevision) -> SafeString:
        """Return the digest, shortened."""
        return digest(revision.digest)

    @admin.display(description="Published by")
    def author(self, revision: Any) -> str:
        """Return who published it."""
        return str(revision.author_name)

    @admin.display(description="Published (UTC)", ordering="created_at")
    def when(self, revision: PolicyRevision) -> SafeString:
        """Return when it was published, in UTC."""
        return moment(revision.created_at)

    def story(self, request: HttpRequest, row: PolicyRevision) -> Context:
        """Return what the page of a row shows."""
        rules = [(rule, sentence_of(rule.spec)) for rule in revision_rules(row)]
        activations = list(row.activations.order_by("-id"))
        names = person_names([row.created_by, *(each.activated_by for each in activations)])
        against, problem = _against(request, row)
        active = active_revision()
        return {
            "active": row == active,
            "can_roll_back": row != active and bool(activations) and _may_activate(request),
            "can_leave": row == active and previous_revision() is not None and _may_activate(request),
            "own_rules": [each for each in rules if each[0].origin == ABAC],
            "system_rules": [each for each in rules if each[0].origin != ABAC],
            "modules": sorted(parse_object(read_json_object(row.content)["modules"]).items()),
            "activations": [(each, names.get(each.activated_by, each.activated_by)) for each in activations],
            "author": names.get(row.created_by, row.created_by),
            "drafts": list(row.drafts.all()),
            "anchor": row.anchors.first(),
            "against": against,
            "diff_problem": problem,
            "diff": diff_view(against, (row.content, row.digest)) if against else None,
            "others": PolicyRevision.objects.exclude(pk=row.pk).defer("content", "signature").order_by("-number")[:100],
            "ledger": timeline(SubjectRef("revision", row.digest)),
        }

    def rollback_page(self, request: HttpRequest, row: PolicyRevision) -> HttpResponse:
        """Roll back to an earlier revision; on the active one, to the previous one."""
        require(request, "rulebook.activate_policydraft")
        target = row if row != active_revision() else previous_revision()
        page = Page(
            title=f"Roll back to {target}" if target else "There is nothing to roll back to",
            submit="Roll back now",
            back=page_url(row),
            danger=True,
            intro="It was approved when it was first activated. Every process uses it from the next decision on.",
            extra={"readonly": target is None},
        )

        def perform(data: Cleaned) -> HttpResponse:
            revision = roll_back(actor=actor_of(request), reason=data["reason"], to=target)
            messages.success(request, f"{revision} decides again.")
            return HttpResponseRedirect(page_url(revision))

        return form_page(request, admin=self, page=page, form=ReasonForm(**sent(request)), perform=perform, row=row)


def _may_activate(request: HttpRequest) -> bool:
    return request.user.has_perm("rulebook.activate_policydraft")


def _against(request: HttpRequest, row: PolicyRevision) -> tuple[PolicyRevision | None, str]:
    """Return the revision that this one is compared with: the requested one, else the previous one."""
    wanted = request.GET.get("against", "")
    try:
        if wanted:
            return find_revision(wanted), ""
    except GovernanceError as error:
        return None, error.message
    return PolicyRevision.objects.filter(number__lt=row.number).order_by("-number").first(), ""
