"""What is entered about works and the datasets they are in."""

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from governance.catalog import datasets, works
from governance.catalog.models import Asset, Creator, Dataset
from governance.catalog.picture_limits import picture_limits
from governance.catalog.states import DESCRIPTION_CHARACTERS
from governance.console.forms.fields import text_field
from governance.console.types import Given


class WorkForm(forms.Form):
    """A new work with its file."""

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
    )

    def __init__(self, *args: Any, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        limits = picture_limits()
        self.fields["file"].help_text = (
            f"PNG, JPEG or WebP, at most {limits.max_pixels:,} pixels, no side longer than {limits.max_edge:,} or than "
            f"{limits.max_ratio} times the other. It is decoded completely before it is taken in."
        )


class TagsField(forms.CharField):
    """Tags, written with commas between them; cleans to a list."""

    def prepare_value(self, value: object) -> object:
        """Return a value as it is typed."""
        return ", ".join(str(tag) for tag in value) if isinstance(value, list | tuple) else value

    def clean(self, value: object) -> list[str]:
        """Check the fields against each other."""
        return [tag for part in str(super().clean(value) or "").split(",") if (tag := part.strip())]


class WorkDetailsForm(forms.Form):
    """What is said of a work and may be changed."""

    title = text_field(
        max_length=works.TITLE_CHARACTERS, help_text="May be personal data: the ledger holds only a commitment to it."
    )
    tags = TagsField(
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "portrait, archive"}),
        help_text="Separated by commas. They are public and go to the ledger as they are.",
    )
    dataset = forms.ModelChoiceField(
        queryset=Dataset.objects.all(), required=False, widget=UnfoldAdminSelectWidget(), empty_label="No dataset"
    )

    def __init__(self, *args: Any, work: Asset, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"title": work.title, "tags": work.tags, "dataset": work.dataset_id}


class DatasetForm(forms.Form):
    """A dataset by name."""

    name = text_field(max_length=datasets.NAME_CHARACTERS)
    slug = forms.SlugField(
        widget=UnfoldAdminTextInputWidget(),
        help_text="API clients and tokens are limited by it. It cannot be changed later.",
    )
    description = forms.CharField(
        required=False, max_length=DESCRIPTION_CHARACTERS, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, dataset: Dataset | None, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        if dataset is not None:
            del self.fields["slug"]
            self.initial = {name: getattr(dataset, name) for name in self.fields}
