"""ABAC rules, and the policy revisions that are made of them."""

import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateTimeFilter

from governance.audit.queries import timeline
from governance.audit.types import SubjectRef
from governance.console.base import StoryAdmin, actor_of
from governance.console.form_admin import FormAdmin
from governance.console.forms.rules import PublishForm, RuleForm
from governance.console.pages import Page, form_page, require, sent
from governance.console.policy_changes import pending_changes, sentence_of, standings
from governance.console.presentation import badge, choice_badge, code, digest, list_url, moment, page_url
from governance.console.rule_preview import preview, value_suggestions
from governance.console.subjects import user_names
from governance.rulebook.content import ABAC
from governance.rulebook.errors import RuleInvalid
from governance.rulebook.models import AbacRule, PolicyRevision
from governance.rulebook.preview import form_schema
from governance.rulebook.queries import active_revision, revision_rules, spec_of
from governance.rulebook.services import create_rule, delete_rule, publish, update_rule

SHOWN_CHARACTERS = 180


@admin.register(AbacRule)
class AbacRuleAdmin(FormAdmin):
    """Rules that the governance team edits."""

    intro = (
        "Rules of the governance team, on top of the system rules that come with the product. A rule decides only once "
        "it is part of the active revision: edit here, then publish."
    )
    empty_title = "No rule of your own yet"
    empty_text = "The system rules already guard consent, licences and tokens. Add a rule for what is special to you."
    form_template = "console/rule_form.html"
    list_before_template = "console/rules_banner.html"
    list_display = ["slug_", "effect_", "standing_", "says", "when"]
    list_filter = [("effect", ChoicesCheckboxFilter), "enabled", ("updated_at", RangeDateTimeFilter)]
    search_ids = ("id",)
    search_fields = ["slug", "reason_code", "message"]
    search_help_text = "A rule id, a reason code or a word of the message"
    list_pages = {"form-schema": "form_schema_page", "preview": "preview_page"}

    def prepare(self, rows: list[Any]) -> None:
        found = standings(rows)
        for rule in rows:
            rule.standing = found[rule.slug]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        pending = {"pending": pending_changes(), "can_publish": request.user.has_perm("rulebook.add_policyrevision")}
        response: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **pending})
        return response

    @admin.display(description="Rule", ordering="slug")
    def slug_(self, rule: AbacRule) -> SafeString:
        return code(rule.slug)

    @admin.display(description="Effect", ordering="effect")
    def effect_(self, rule: AbacRule) -> SafeString:
        return choice_badge(rule.effect, rule.get_effect_display())

    @admin.display(description="Standing")
    def standing_(self, rule: Any) -> SafeString:
        return badge(rule.standing.label, rule.standing.tone)

    @admin.display(description="What it says")
    def says(self, rule: AbacRule) -> SafeString:
        return format_html('<span class="as-clamp">{}</span>', Truncator(_sentence(rule)).chars(SHOWN_CHARACTERS))

    @admin.display(description="Changed (UTC)", ordering="updated_at")
    def when(self, rule: AbacRule) -> SafeString:
        return format_html('{}<br><span class="as-small as-subtle">{}</span>', moment(rule.updated_at), rule.updated_by)

    def build_form(self, request: HttpRequest, row: AbacRule | None) -> Form:
        return RuleForm(**sent(request), rule=row)

    def form_context(self, request: HttpRequest, row: AbacRule | None) -> dict[str, Any]:
        return {
            "standing": standings([row])[row.slug] if row else None,
            "builder_schema": form_schema(row.actions if row else []),
            "suggestions": value_suggestions(),
            "can_publish": request.user.has_perm("rulebook.add_policyrevision"),
            "ledger": timeline(SubjectRef("rule", str(row.pk))) if row else [],
        }

    def perform(self, request: HttpRequest, row: AbacRule | None, data: dict[str, Any]) -> AbacRule:
        if row is None:
            return create_rule(spec=data["spec"], enabled=data["enabled"], actor_user=_user(request))
        return update_rule(rule=row, spec=data["spec"], enabled=data["enabled"], actor_user=_user(request))

    def saved_message(self, row: Any) -> str:
        return f"The rule “{row.slug}” was saved. It decides once it is published."

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        delete_rule(rule=obj, actor_user=_user(request))

    def form_schema_page(self, request: HttpRequest) -> HttpResponse:
        """Return what the condition builder may offer for the actions that the query names."""
        require(request, "rulebook.view_abacrule")
        return JsonResponse(form_schema(request.GET.getlist("action")))

    def preview_page(self, request: HttpRequest) -> HttpResponse:
        """Return a rule under construction as a sentence and as Rego, or what is wrong with it."""
        require(request, "rulebook.view_abacrule")
        try:
            data = json.loads(request.body)
        except ValueError:
            return JsonResponse({"errors": [{"path": "rule", "message": "This is not JSON."}]}, status=400)
        return JsonResponse(preview(data))


@admin.register(PolicyRevision)
class PolicyRevisionAdmin(StoryAdmin):
    """Signed, immutable sets of rules."""

    intro = (
        "Every published set of rules, named by the digest of its content, signed, and never changed. One is active; "
        "each decision names the revision that made it."
    )
    empty_text = "Nothing is permitted until a first revision is published."
    story_template = "console/revision.html"
    list_display = ["name", "standing", "digest_", "rule_count", "note", "author", "when"]
    list_filter = [("created_at", RangeDateTimeFilter)]
    search_ids = ("id",)
    search_fields = ["digest__startswith", "note"]
    search_help_text = "The beginning of a digest, or a word of the note"
    list_pages = {"publish": "publish_page"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[PolicyRevision]:
        revisions: QuerySet[PolicyRevision] = super().get_queryset(request)
        return revisions.defer("content", "signature")

    def prepare(self, rows: list[Any]) -> None:
        active = active_revision()
        names = _names([row.created_by for row in rows])
        for row in rows:
            row.active = row == active
            row.author_name = names.get(row.created_by, row.created_by)

    @admin.display(description="Revision", ordering="number")
    def name(self, revision: PolicyRevision) -> str:
        return str(revision)

    @admin.display(description="")
    def standing(self, revision: Any) -> SafeString:
        return badge("Active", "good") if revision.active else SafeString("")

    @admin.display(description="Digest")
    def digest_(self, revision: PolicyRevision) -> SafeString:
        return digest(revision.digest)

    @admin.display(description="Published by")
    def author(self, revision: Any) -> str:
        return str(revision.author_name)

    @admin.display(description="Published (UTC)", ordering="created_at")
    def when(self, revision: PolicyRevision) -> SafeString:
        return moment(revision.created_at)

    def story(self, request: HttpRequest, row: PolicyRevision) -> dict[str, Any]:
        rules = [(rule, sentence_of(rule.spec)) for rule in revision_rules(row)]
        activations = list(row.activations.order_by("-id"))
        names = _names([row.created_by, *(each.activated_by for each in activations)])
        return {
            "active": row == active_revision(),
            "own_rules": [each for each in rules if each[0].origin == ABAC],
            "system_rules": [each for each in rules if each[0].origin != ABAC],
            "modules": sorted(json.loads(row.content)["modules"].items()),
            "activations": [(each, names.get(each.activated_by, each.activated_by)) for each in activations],
            "author": names.get(row.created_by, row.created_by),
            "ledger": timeline(SubjectRef("revision", row.digest)),
        }

    def publish_page(self, request: HttpRequest) -> HttpResponse:
        """Say what would change, and publish once that was confirmed."""
        require(request, "rulebook.add_policyrevision")
        pending = pending_changes()
        page = Page(
            title="Publish policy",
            submit="Publish and activate",
            back=list_url(AbacRule),
            template="console/publish.html",
            extra={"pending": pending, "readonly": not pending.any or bool(pending.problems)},
        )

        def perform(data: dict[str, Any]) -> HttpResponse:
            revision = publish(actor=actor_of(request), note=data["note"])
            messages.success(request, f"{revision} is active. It decides from now on.")
            return HttpResponseRedirect(page_url(revision))

        return form_page(request, admin=self, page=page, form=PublishForm(**sent(request)), perform=perform)


def _sentence(rule: AbacRule) -> str:
    try:
        return sentence_of(spec_of(rule))
    except RuleInvalid as error:
        return error.message


def _user(request: HttpRequest) -> Any:
    if not request.user.is_authenticated:
        raise PermissionDenied
    return request.user


def _names(actors: list[str]) -> dict[str, str]:
    """Return the user names behind actors such as `user:7`."""
    keys = {actor: actor.removeprefix("user:") for actor in actors if actor.startswith("user:")}
    names = user_names(keys.values())
    return {actor: names[key] for actor, key in keys.items() if key in names}
