"""Forms for creators, and for reasons of a change of status."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminTextInputWidget

from governance.catalog.checks import REASON_CHARACTERS
from governance.catalog.creators import NAME_CHARACTERS
from governance.catalog.models import Creator
from governance.console.forms.fields import RegionField, names_field, text_field
from governance.console.types import Given
from governance.partners.models import Partner


class CreatorForm(forms.Form):
    """What is on file of a creator."""

    display_name = text_field(
        max_length=NAME_CHARACTERS, help_text="Personal data: the ledger holds only a commitment to it."
    )
    slug = forms.SlugField(
        widget=UnfoldAdminTextInputWidget(),
        help_text="Policies, partners and the ledger use it instead of the name. It cannot be changed later.",
    )
    email = forms.EmailField(
        required=False,
        label="E-mail",
        widget=UnfoldAdminEmailInputWidget(),
        help_text="Personal data: the ledger holds only a commitment to it.",
    )
    region = RegionField(help_text="Two capital letters, such as DE or US.")
    uploaders = names_field(
        [], label="Partners that may upload", help_text="They may register works on this creator's behalf."
    )

    def __init__(self, *args: Any, creator: Creator | None, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["uploaders"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = _partners(creator)
        if creator is not None:
            del self.fields["slug"]
            self.initial = {name: getattr(creator, name) for name in self.fields}


class StatusReasonForm(forms.Form):
    """Why a creator is suspended or a work put into quarantine, or why that ends."""

    reason = text_field(
        max_length=REASON_CHARACTERS,
        help_text="Shown in the console until personal data is erased. The ledger holds only a commitment to it.",
    )


def _partners(creator: Creator | None) -> list[tuple[str, str]]:
    """Return the partners there are by name, and by slug those that the creator named and that are gone."""
    partners = dict(Partner.objects.values_list("slug", "name"))
    gone = {slug: slug for slug in (creator.uploaders if creator else ()) if slug not in partners}
    return [*partners.items(), *gone.items()]
