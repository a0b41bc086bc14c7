"""What is entered about licences, models and versions."""

import json
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldAdminURLInputWidget,
)

from governance.console.forms.fields import MomentField, RegionsField, checkbox_field, choice_field, names_field
from governance.decisions.ports import supported_obligations
from governance.kernel import clock
from governance.kernel.vocabulary import PURPOSE_CHOICES
from governance.partners.models import Partner
from governance.registry.choices import Stage
from governance.registry.models import Licence, Model, ModelVersion
from governance.registry.ports import runtime_choices
from governance.registry.services import TRANSITIONS


class LicenceForm(forms.ModelForm):  # type: ignore[type-arg]
    """A licence with its terms."""

    purposes = checkbox_field(PURPOSE_CHOICES, required=False, help_text="What is not ticked is not licensed.")
    regions = RegionsField(help_text="Two-letter codes. Empty: everywhere.")
    partners = names_field([], help_text="Empty: every partner.")
    valid_from = MomentField(initial=clock.now, help_text="UTC.")
    valid_until = MomentField(required=False, help_text="UTC. Empty: without end.")
    terms_url = forms.URLField(required=False, assume_scheme="https", widget=UnfoldAdminURLInputWidget())
    obligations = forms.JSONField(
        required=False,
        initial=list,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "spellcheck": "false"}),
    )

    class Meta:
        model = Licence
        fields = [
            "name", "slug", "purposes", "regions", "partners", "valid_from", "valid_until", "obligations", "terms_url",
        ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        partners = self.fields.get("partners")
        if isinstance(partners, forms.MultipleChoiceField):
            partners.choices = list(Partner.objects.values_list("slug", "name"))
        if "obligations" in self.fields:
            kinds = ", ".join(sorted(supported_obligations.get()))
            self.fields["obligations"].help_text = (
                'A JSON list such as [{"kind": "attribution", "parameters": {"text": "…"}}]. '
                f"This installation can carry out: {kinds or 'nothing'}. Others make every request a denial."
            )

    def clean_obligations(self) -> list[dict[str, Any]]:
        """Return the obligations, each with a kind and its parameters."""
        obligations = self.cleaned_data["obligations"] or []
        if not isinstance(obligations, list) or not all(_is_obligation(each) for each in obligations):
            raise forms.ValidationError('A list of objects with "kind" and, where needed, "parameters".')
        return obligations

    def clean(self) -> dict[str, Any]:
        """Check the fields against each other."""
        data = super().clean() or {}
        if data.get("valid_until") and data.get("valid_from") and data["valid_until"] <= data["valid_from"]:
            self.add_error("valid_until", "The end must be after the start.")
        return data


def _is_obligation(each: Any) -> bool:
    return (
        isinstance(each, dict)
        and isinstance(each.get("kind"), str)
        and set(each) <= {"kind", "parameters"}
        and isinstance(each.get("parameters", {}), dict)
    )


class VersionForm(forms.Form):
    """A new version of a model with its artifact."""

    field_of_code = {"model_version_exists": "version", "upload_too_large": "artifact"}

    model = forms.ModelChoiceField(
        queryset=Model.objects.all(), widget=UnfoldAdminSelectWidget(), empty_label="Choose a model"
    )
    version = forms.CharField(
        max_length=50, widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "1.0.0"}), help_text="Cannot be reused."
    )
    runtime = choice_field(runtime_choices, help_text="What loads the artifact and runs it.")
    artifact = forms.FileField(
        widget=UnfoldAdminFileFieldWidget(),
        help_text="A safetensors file. Its structure is checked now, its digest before every use.",
    )
    config = forms.JSONField(
        required=False,
        initial=dict,
        label="Configuration",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5, "spellcheck": "false"}),
        help_text="A JSON object that the runtime reads, such as the number of channels.",
    )

    def clean_config(self) -> dict[str, Any]:
        """Return the configuration, which must be a JSON object."""
        config = {} if self.cleaned_data["config"] is None else self.cleaned_data["config"]
        if not isinstance(config, dict):
            raise forms.ValidationError("A JSON object is needed here.")
        return config


class StageForm(forms.Form):
    """The stages that a version can move to."""

    stage = choice_field([])

    def __init__(self, *args: Any, version: ModelVersion, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["stage"]
        assert isinstance(field, forms.ChoiceField)
        allowed = TRANSITIONS[version.stage]
        field.choices = [(value, label) for value, label in Stage.choices if value in allowed]
        field.help_text = (
            "A version that leaves production loses the alias “production”; a retired one loses every alias for good."
        )


class AliasForm(forms.Form):
    """An alias for a version."""

    name = forms.CharField(
        initial="production",
        max_length=50,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Partners who name no version get “production”. An alias that exists moves here.",
    )


def pretty(value: Any) -> str:
    """Return JSON as people read it."""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
