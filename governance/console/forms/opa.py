"""What is entered about OPA servers."""

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget


class AddressForm(forms.Form):
    """The URL at which the server reaches Assent."""

    url = forms.URLField(
        label="Our address",
        assume_scheme="https",
        widget=UnfoldAdminTextInputWidget(),
        help_text="As the OPA server reaches it, such as https://assent.example.",
    )


class EnrolForm(AddressForm):
    """A new OPA server."""

    name = forms.CharField(
        max_length=50,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Lower-case letters, digits and hyphens, such as edge-frankfurt.",
    )
    field_order = ["name", "url"]
