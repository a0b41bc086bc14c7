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
from governance.console.forms.drafts import ReasonForm, RollbackForm
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
from governance.rulebook.errors import RevisionNotFound
from governance.rulebook.lifecycle import check_draft, propose_rollback
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
    row_pages = {"rollback": "rollback_page", "restore": "restore_page"}

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
            **_ways_back(request, row, active, decided=bool(activations)),
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
        """Roll back to the revision that was in force immediately before: the row, or the one before the row."""
        require(request, "rulebook.activate_policydraft")
        active, before = active_revision(), previous_revision()
        target = before if row in (active, before) else None
        page = Page(
            title=f"Roll back to {target}" if target else "There is nothing to roll back to",
            submit="Roll back now",
            back=page_url(row),
            danger=True,
            intro="It was approved when it was first activated. Every process uses it from the next decision on. "
            "Any other revision is proposed as a draft, for a second person to approve.",
            extra={"readonly": target is None},
        )

        def perform(data: Cleaned) -> HttpResponse:
            seen = PolicyRevision.objects.filter(pk=data["active"]).first()
            if seen is None:
                raise RevisionNotFound("The revision that this page was about is gone.")
            revision = roll_back(actor=actor_of(request), reason=data["reason"], to=target, instead_of=seen)
            messages.success(request, f"{revision} decides again.")
            return HttpResponseRedirect(page_url(revision))

        form = RollbackForm(**sent(request), initial={"active": active.pk if active else None})
        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)

    def restore_page(self, request: HttpRequest, row: PolicyRevision) -> HttpResponse:
        """Propose an earlier revision as a draft, for a second person to approve."""
        require(request, "rulebook.add_policydraft")
        page = Page(
            title=f"Propose going back to {row}",
            submit="Propose and check",
            back=page_url(row),
            intro="The draft holds this revision as it was. It is replayed to show what it changes, and decides only "
            "after a second person approved it.",
        )

        def perform(data: Cleaned) -> HttpResponse:
            draft = propose_rollback(to=row, reason=data["reason"], actor=actor_of(request))
            draft = check_draft(draft=draft, actor=actor_of(request))
            messages.success(request, f"{draft} was opened. Now replay it against recorded decisions.")
            return HttpResponseRedirect(page_url(draft))

        return form_page(request, admin=self, page=page, form=ReasonForm(**sent(request)), perform=perform, row=row)


def _ways_back(
    request: HttpRequest, row: PolicyRevision, active: PolicyRevision | None, *, decided: bool
) -> dict[str, bool]:
    """Return which ways back the page of a revision offers this person."""
    before = previous_revision()
    may = _may_activate(request)
    return {
        "can_roll_back": may and row == before,
        "can_leave": may and row == active and before is not None,
        "can_restore": decided and row not in (active, before) and request.user.has_perm("rulebook.add_policydraft"),
    }


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
