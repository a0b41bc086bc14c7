"""ABAC rules: the form in which the governance team writes policy."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateTimeFilter

from governance.console.form_admin import FormAdmin
from governance.console.forms.rules import RuleForm
from governance.console.pages import require, sent
from governance.console.policy_changes import pending_changes, rule_statuses
from governance.console.presentation import badge, choice_badge, code, moment
from governance.console.rule_preview import preview, value_suggestions
from governance.console.types import Cleaned, Context
from governance.kernel.json_reading import JsonRefused, read_json
from governance.rulebook.diff import sentence_of
from governance.rulebook.errors import RuleInvalid
from governance.rulebook.models import AbacRule
from governance.rulebook.preview import form_schema
from governance.rulebook.queries import spec_of
from governance.rulebook.services import create_rule, delete_rule, update_rule

SHOWN_CHARACTERS = 180


@admin.register(AbacRule)
class AbacRuleAdmin(FormAdmin):
    """Rules that the governance team edits."""

    intro = (
        "Rules of the governance team, on top of the system rules that come with the product. A rule decides only once "
        "it is part of the active revision: edit here, then propose a draft for review."
    )
    empty_title = "No rule of your own yet"
    empty_text = "The system rules already guard consent, licences and tokens. Add a rule for what is special to you."
    form_template = "console/rule_form.html"
    list_before_template = "console/rules_banner.html"
    list_display = ["slug_", "effect_", "status_", "says", "when"]
    list_filter = [("effect", ChoicesCheckboxFilter), "enabled", ("updated_at", RangeDateTimeFilter)]
    search_ids = ("id",)
    search_fields = ["slug", "reason_code", "message"]
    search_help_text = "A rule id, a reason code or a word of the message"
    list_pages = {"form-schema": "form_schema_page", "preview": "preview_page"}

    def prepare(self, rows: list[Any]) -> None:
        """Look up how rules compare with the active revision, for all rows at once."""
        found = rule_statuses(rows)
        for rule in rows:
            rule.rule_status = found[rule.slug]

    def changelist_view(self, request: HttpRequest, extra_context: Context | None = None) -> HttpResponse:
        """Answer with the list and the notices above it."""
        pending = {"pending": pending_changes(), "can_propose": request.user.has_perm("rulebook.add_policydraft")}
        response: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **pending})
        return response

    @admin.display(description="Rule", ordering="slug")
    def slug_(self, rule: AbacRule) -> SafeString:
        """Return the slug."""
        return code(rule.slug)

    @admin.display(description="Effect", ordering="effect")
    def effect_(self, rule: AbacRule) -> SafeString:
        """Return the effect as a badge."""
        return choice_badge(rule.effect, rule.get_effect_display())

    @admin.display(description="Status")
    def status_(self, rule: Any) -> SafeString:
        """Return how the rule compares with the active revision, as a badge."""
        return badge(rule.rule_status.label, rule.rule_status.tone)

    @admin.display(description="What it says")
    def says(self, rule: AbacRule) -> SafeString:
        """Return the beginning of the rule as a sentence."""
        return format_html('<span class="as-clamp">{}</span>', Truncator(_sentence(rule)).chars(SHOWN_CHARACTERS))

    @admin.display(description="Changed (UTC)", ordering="updated_at")
    def when(self, rule: AbacRule) -> SafeString:
        """Return when it was changed, in UTC."""
        return format_html('{}<br><span class="as-small as-subtle">{}</span>', moment(rule.updated_at), rule.updated_by)

    def build_form(self, request: HttpRequest, row: AbacRule | None) -> Form:
        """Return the form for a new row, or for the row that is changed."""
        return RuleForm(**sent(request), rule=row)

    def form_context(self, request: HttpRequest, row: AbacRule | None) -> Context:
        """Return what the page shows beside the form."""
        return {
            "rule_status": rule_statuses([row])[row.slug] if row else None,
            "builder_schema": form_schema(row.actions if row else []),
            "suggestions": value_suggestions(),
            "can_propose": request.user.has_perm("rulebook.add_policydraft"),
        }

    def perform(self, request: HttpRequest, row: AbacRule | None, data: Cleaned) -> AbacRule:
        """Call the service with what was entered, and return the row."""
        if row is None:
            return create_rule(spec=data["spec"], enabled=data["enabled"], actor_user=_user(request))
        return update_rule(
            rule=row, spec=data["spec"], enabled=data["enabled"], actor_user=_user(request), seen=data["seen"]
        )

    def saved_message(self, row: Any) -> str:
        """Return the sentence that is shown after saving."""
        return f"The rule “{row.slug}” was saved. It decides once a draft with it is approved and activated."

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete through the service, on record."""
        delete_rule(rule=obj, actor_user=_user(request))

    def form_schema_page(self, request: HttpRequest) -> HttpResponse:
        """Return the attributes that the condition builder offers for the actions in the query."""
        require(request, "rulebook.view_abacrule")
        return JsonResponse(form_schema(request.GET.getlist("action")))

    def preview_page(self, request: HttpRequest) -> HttpResponse:
        """Return a rule under construction as a sentence and as Rego, or what is wrong with it."""
        require(request, "rulebook.view_abacrule")
        try:
            data = read_json(request.body)
        except JsonRefused as error:
            message = f"This cannot be read: {error}."
            return JsonResponse({"errors": [{"path": "rule", "message": message}]}, status=400)
        return JsonResponse(preview(data))


def _sentence(rule: AbacRule) -> str:
    try:
        return sentence_of(spec_of(rule))
    except RuleInvalid as error:
        return error.message


def _user(request: HttpRequest) -> Any:
    if not request.user.is_authenticated:
        raise PermissionDenied
    return request.user
