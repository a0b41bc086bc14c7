"""What is entered about partners and their API clients."""

from typing import Any
from uuid import uuid4

from django import forms
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from governance.catalog.models import Dataset
from governance.catalog.picture_limits import picture_limits
from governance.console.forms.fields import RegionField, checkbox_field, choice_field, names_field
from governance.console.types import Given
from governance.kernel.vocabulary import PURPOSE_CHOICES, TOKEN_ACTION_CHOICES
from governance.partners.entries import IMAGE_LIMITS
from governance.partners.models import Partner, Tier
from governance.partners.types import ImageLimits
from governance.registry.models import Model

SUSPENSION_REASONS = [
    ("", "Choose a reason"),
    ("contract_ended", "The contract ended"),
    ("unpaid", "Payment is overdue"),
    ("terms_violated", "The terms were violated"),
    ("secret_leaked", "A secret leaked"),
    ("suspicious_use", "Suspicious use"),
    ("asked_by_partner", "The partner asked for it"),
    ("suspended_by_operator", "Other"),
]
REINSTATEMENT_REASONS = [
    ("", "Choose a reason"),
    ("resolved", "What led to the suspension is resolved"),
    ("contract_renewed", "The contract was renewed"),
    ("suspended_by_mistake", "The suspension was a mistake"),
    ("asked_by_partner", "The partner asked for it"),
    ("reinstated_by_operator", "Other"),
]
REVOCATION_REASONS = [
    ("secret_leaked", "A secret leaked"),
    ("suspicious_use", "Suspicious use"),
    ("asked_by_partner", "The partner asked for it"),
    ("contract_ended", "The contract ended"),
    ("revoked_by_operator", "Other"),
]


def _image_limit(label: str, *, least: int) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=least, required=False, widget=UnfoldAdminIntegerFieldWidget())


class TierForm(forms.Form):
    """A tier with its limits."""

    name = forms.CharField(max_length=100, widget=UnfoldAdminTextInputWidget())
    slug = forms.SlugField(widget=UnfoldAdminTextInputWidget(), help_text="Policies name it by this. Never changes.")
    requests_per_minute = forms.IntegerField(min_value=0, initial=600, widget=UnfoldAdminIntegerFieldWidget())
    max_open_jobs = forms.IntegerField(
        min_value=0,
        initial=100,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Jobs queued or running at the same time.",
    )
    max_image_pixels = _image_limit("Pixels of an uploaded image", least=64)
    max_image_edge = _image_limit("Longest side of an image in pixels", least=8)
    max_image_ratio = _image_limit("How many times the shorter side of an image the longer one may be", least=1)
    max_image_parts = _image_limit("Segments or chunks of an image file", least=3)

    def __init__(self, *args: Any, tier: Tier | None, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        allowed = picture_limits()
        most = (allowed.max_pixels, allowed.max_edge, allowed.max_ratio, allowed.max_parts)
        for name, limit in zip(IMAGE_LIMITS, most, strict=True):
            self.fields[name].help_text = f"Empty: {limit:,}, as the settings allow everybody. Only less has an effect."
        if tier is not None:
            del self.fields["slug"]
            self.initial = {name: getattr(tier, name) for name in self.fields}

    def clean(self) -> dict[str, Any]:
        """Return what was entered, with the limits of images together under `images`."""
        entered = super().clean() or {}
        images = ImageLimits(**{name: entered.pop(name, None) for name in IMAGE_LIMITS})
        return {**entered, "images": images}


class PartnerForm(forms.Form):
    """A new partner."""

    name = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget())
    slug = forms.SlugField(
        widget=UnfoldAdminTextInputWidget(),
        help_text="Policies, licences, consent and the ledger name the partner by this. Never changes.",
    )
    tier = forms.ModelChoiceField(
        queryset=Tier.objects.all(), widget=UnfoldAdminSelectWidget(), empty_label="Choose a tier"
    )
    region = RegionField(help_text="Two capital letters, such as DE or US.")


class RenameForm(forms.Form):
    """Another name for a partner."""

    name = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget())


class MoveForm(forms.Form):
    """Another tier for a partner."""

    tier = forms.ModelChoiceField(queryset=Tier.objects.all(), widget=UnfoldAdminSelectWidget(), empty_label=None)


class PartnerRegionForm(forms.Form):
    """Another region for a partner."""

    region = RegionField(help_text="Two capital letters, such as DE or US.")


class SuspensionForm(forms.Form):
    """Why a partner is suspended. The reason goes to the ledger as a code."""

    reason = choice_field(SUSPENSION_REASONS)


class ReinstatementForm(forms.Form):
    """Why a partner is active again. The reason goes to the ledger as a code."""

    reason = choice_field(REINSTATEMENT_REASONS)


class ClientForm(forms.Form):
    """A new API client with the most that its tokens may ever cover."""

    partner = forms.ModelChoiceField(
        queryset=Partner.objects.all(), widget=UnfoldAdminSelectWidget(), empty_label="Choose a partner"
    )
    name = forms.CharField(
        max_length=255,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Which app or server of the partner this is.",
    )
    actions = checkbox_field(TOKEN_ACTION_CHOICES, help_text="What tokens of this client may be used for.")
    purposes = checkbox_field(PURPOSE_CHOICES)
    models = names_field([], label="Only these models", help_text="Empty: every model.")
    datasets = names_field([], label="Only these datasets", help_text="Empty: every dataset.")
    form_key = forms.UUIDField(required=False, widget=forms.HiddenInput, initial=uuid4)

    def __init__(self, *args: Given, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        for name, rows in (("models", Model.objects), ("datasets", Dataset.objects)):
            field = self.fields[name]
            assert isinstance(field, forms.MultipleChoiceField)
            field.choices = list(rows.values_list("slug", "name"))


class RevocationForm(forms.Form):
    """Why access is taken away. The reason goes to the ledger as a code."""

    reason = choice_field(REVOCATION_REASONS)
