"""What is entered about licences, models and versions."""

import json
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from governance.console.forms.fields import JsonField, choice_field
from governance.registry.choices import Stage
from governance.registry.models import Model, ModelVersion
from governance.registry.ports import runtime_choices
from governance.registry.services import TRANSITIONS


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
    config = JsonField(
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
