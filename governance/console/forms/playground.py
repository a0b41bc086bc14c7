"""The form of the playground: a question, picked or pasted, and facts to change."""

from collections.abc import Mapping
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget

from governance.console.forms.fields import choice_field, text_field
from governance.console.types import Cleaned, Given
from governance.kernel.json_reading import JsonRefused, read_json
from governance.kernel.vocabulary import ACTION_CHOICES, PURPOSE_CHOICES
from governance.partners.models import ApiClient
from governance.registry.queries import available_models

KINDS = ("asset.", "model.")


class PlaygroundForm(forms.Form):
    """A question to policy. A pasted AuthZEN request overrides the selected fields."""

    client = choice_field([], label="Who asks", required=False, help_text="An API client, with its full coverage.")
    action = choice_field([], label="Action", required=False)
    purpose = choice_field([("", "Choose"), *PURPOSE_CHOICES], label="Purpose", required=False)
    work = text_field(label="Work", required=False, max_length=36, help_text="Its id, for actions with a work.")
    model = choice_field([], label="Model", required=False, help_text="For actions with a model.")
    changes = forms.CharField(
        required=False,
        label="What if",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "spellcheck": "false"}),
        help_text='Facts to change, as JSON: {"subject.region": "FR", "consent.state": "expired"}.',
    )
    pasted = forms.CharField(
        required=False,
        label="Or paste a request",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="JSON with subject, action, resource and context, as enforcement points send it.",
    )

    def __init__(self, *args: Given, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        clients = ApiClient.objects.select_related("partner").order_by("partner__slug", "name")
        named = [(client.client_id, f"{client.partner.slug}: {client.name}") for client in clients]
        self._choices("client", named)
        self._choices("action", [choice for choice in ACTION_CHOICES if choice[0].startswith(KINDS)])
        self._choices("model", [(model.slug, model.name) for model in available_models().order_by("slug")])

    def clean_changes(self) -> Cleaned:
        """Return the facts to change by path. Raises ValidationError."""
        return _json_object(self.cleaned_data["changes"])

    def clean_pasted(self) -> Cleaned:
        """Return the pasted request. Raises ValidationError."""
        return _json_object(self.cleaned_data["pasted"])

    def clean(self) -> Cleaned:
        """Return the question, and report missing values at their fields."""
        asked = {**self.cleaned_data, **_picked(self.cleaned_data.get("pasted") or {})}
        needed = ["client", "action", "purpose"]
        if asked.get("action"):
            needed.append("work" if asked["action"].startswith("asset.") else "model")
        for name in needed:
            if not asked.get(name) and name not in self.errors:
                self.add_error(name, "This is needed, here or in the pasted request.")
        return asked

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = [("", "Choose"), *choices]


def _json_object(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        value = read_json(text)
    except JsonRefused as error:
        raise forms.ValidationError(f"This cannot be read: {error}.") from error
    if not isinstance(value, dict):
        raise forms.ValidationError("A JSON object is needed here.")
    return value


def _picked(request: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields that a pasted request fills."""
    subject, action, resource, context = (_part(request, name) for name in ("subject", "action", "resource", "context"))
    found = {
        "client": subject.get("id"),
        "action": action.get("name"),
        "purpose": context.get("purpose"),
        "model": resource.get("id") if resource.get("type") == "model" else context.get("model"),
        "work": resource.get("id") if resource.get("type") == "asset" else None,
    }
    return {name: str(value) for name, value in found.items() if value}


def _part(request: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = request.get(name)
    return part if isinstance(part, Mapping) else {}
