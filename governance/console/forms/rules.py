"""The form of an ABAC rule. The rulebook validates it; this form shows its messages at the fields."""

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from governance.console.forms.fields import JsonField, checkbox_field
from governance.console.forms.obligations import ObligationsField
from governance.console.types import Cleaned, Given
from governance.kernel.json_reading import JsonRefused, read_json
from governance.kernel.vocabulary import ACTION_CHOICES
from governance.rulebook.choices import RuleEffect
from governance.rulebook.errors import FieldError, RuleInvalid
from governance.rulebook.models import AbacRule
from governance.rulebook.rules import parse_rule
from governance.rulebook.schema import current_schema
from governance.rulebook.types import RuleSpec

FIELD_OF = {"id": "slug"}
EMPTY_CONDITION: dict[str, Any] = {}


class RuleForm(forms.Form):
    """An ABAC rule. `condition` travels as JSON; the page's condition builder writes it."""

    field_of_code = {"rule_id_taken": "slug"}

    slug = forms.CharField(
        max_length=50,
        label="Rule id",
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "no-embargoed-regions", "autocomplete": "off"}),
        help_text="Lower-case words joined by hyphens. It names the rule in decisions and cannot be changed later.",
    )
    effect = forms.ChoiceField(
        choices=RuleEffect.choices,
        initial=RuleEffect.DENY,
        widget=UnfoldAdminRadioSelectWidget(),
        help_text="One denial overrides any number of permits.",
    )
    actions = checkbox_field(
        ACTION_CHOICES, help_text="The condition can only use attributes that are known for every action chosen here."
    )
    condition = JsonField(widget=forms.HiddenInput(), initial=EMPTY_CONDITION)
    reason_code = forms.CharField(
        max_length=50,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "region_blocked", "autocomplete": "off"}),
        help_text="Stable code that partners' software receives.",
    )
    message = forms.CharField(
        max_length=300,
        label="Message to the partner",
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "Works are not available in {subject.region}."}),
        help_text="The sentence that partners read. Attributes can be inserted in braces, such as {purpose}.",
    )
    obligations = ObligationsField(
        help_text="What has to be done with every output that this rule permits. Only a rule that permits has any."
    )
    enabled = forms.BooleanField(
        required=False,
        initial=True,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Only enabled rules become part of the next revision.",
    )

    def __init__(self, *args: Any, rule: AbacRule | None, **kwargs: Given) -> None:
        if rule is not None:
            names = ("slug", "effect", "actions", "condition", "reason_code", "message", "obligations", "enabled")
            kwargs["initial"] = {name: getattr(rule, name) for name in names}
        super().__init__(*args, **kwargs)
        self.fields["slug"].disabled = rule is not None
        self.condition_errors: list[dict[str, str]] = []

    def clean(self) -> Cleaned:
        """Check the fields against each other."""
        data = super().clean() or {}
        if self.errors:
            return data
        try:
            data["spec"] = spec_from(data)
        except RuleInvalid as error:
            for fault in error.errors:
                self._place(fault)
        return data

    def condition_json(self) -> Any:
        """Return the condition as plain data for the builder, including a refused one."""
        value = self["condition"].value()
        if isinstance(value, str):
            try:
                return read_json(value)
            except JsonRefused:
                return EMPTY_CONDITION
        return value

    def _place(self, fault: FieldError) -> None:
        field = fault.path.split(".")[0].split("[")[0]
        field = FIELD_OF.get(field, field)
        if field == "condition":
            self.condition_errors.append({"path": fault.path, "message": fault.message})
        self.add_error(field if field in self.fields else None, fault.message)


def spec_from(data: Cleaned) -> RuleSpec:
    """Return the checked rule that form data describes. Raises RuleInvalid."""
    rule = {
        "id": data["slug"],
        "effect": data["effect"],
        "actions": data["actions"],
        "condition": data["condition"],
        "reason_code": data["reason_code"],
        "message": data["message"],
        "obligations": data.get("obligations") or [],
    }
    return parse_rule(rule, current_schema())
