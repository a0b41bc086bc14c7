"""What is entered about a creator's work."""

from django import forms
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from governance.catalog.models import Creator, Dataset


class WorkForm(forms.Form):
    """A new work with its file."""

    field_of_code = {"media_type_unsupported": "file", "media_undecodable": "file", "image_too_large": "file"}

    creator = forms.ModelChoiceField(
        queryset=Creator.objects.all(), widget=UnfoldAdminSelectWidget(), empty_label="Choose a creator"
    )
    title = forms.CharField(
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Empty: the name of the file.",
    )
    dataset = forms.ModelChoiceField(
        queryset=Dataset.objects.all(), required=False, widget=UnfoldAdminSelectWidget(), empty_label="No dataset"
    )
    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget(),
        help_text="PNG, JPEG or WebP. It is decoded completely before it is taken in.",
    )
