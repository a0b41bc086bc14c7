"""What is entered about models."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from governance.catalog.states import DESCRIPTION_CHARACTERS
from governance.console.forms.fields import choice_field, text_field
from governance.console.forms.proposals import reason_field
from governance.console.types import Given
from governance.registry.model_services import NAME_CHARACTERS
from governance.registry.models import Licence, Model, ModelLicenceProposal
from governance.registry.tasks import task_choices


def _licence_field(**kwargs: Given) -> forms.ModelChoiceField:  # type: ignore[type-arg]
    return forms.ModelChoiceField(
        queryset=Licence.objects.all(), widget=UnfoldAdminSelectWidget(), empty_label="Choose a licence", **kwargs
    )


class ModelDetailsForm(forms.Form):
    """The details of a model. The licence is chosen here for a new one, and changed on its own page."""

    name = text_field(max_length=NAME_CHARACTERS)
    slug = forms.SlugField(
        widget=UnfoldAdminTextInputWidget(), help_text="Partners ask for the model by it. It cannot be changed later."
    )
    description = forms.CharField(
        required=False, max_length=DESCRIPTION_CHARACTERS, widget=UnfoldAdminTextareaWidget(attrs={"rows": 4})
    )
    task = choice_field(task_choices(), help_text="What the model does.")
    owner = forms.SlugField(widget=UnfoldAdminTextInputWidget(), help_text="Slug of the owner. Policies may name it.")
    licence = _licence_field()

    def __init__(self, *args: Any, model: Model | None, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        if model is not None:
            del self.fields["slug"], self.fields["licence"]
            self.initial = {name: getattr(model, name) for name in self.fields}


class ModelLicenceForm(forms.Form):
    """The licence that a model runs under."""

    licence = _licence_field(
        help_text="One that permits no more than the present one. It applies from the next decision on, also to "
        "waiting jobs."
    )

    def __init__(self, *args: Any, model: Model, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"licence": model.licence_id}


class ModelLicenceProposalForm(forms.Form):
    """The licence that a model shall run under, and why."""

    licence = _licence_field(help_text="As it is now: a later version of it needs a proposal written anew.")
    reason = reason_field("The owner agreed to commercial use")

    def __init__(self, *args: Any, model: Model, proposal: ModelLicenceProposal | None, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        if proposal is not None:
            self.initial = {"licence": proposal.wanted.licence_id, "reason": proposal.reason}
        chosen = self.fields["licence"]
        assert isinstance(chosen, forms.ModelChoiceField)
        chosen.queryset = Licence.objects.exclude(pk=model.licence_id)
