"""Form fields and widgets that several pages of the console share."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from governance.console.types import Given
from governance.kernel.json_reading import JsonRefused, read_json
from governance.kernel.regions import REGIONS


class RegionField(forms.CharField):
    """One region code, in any case; cleans to capital letters."""

    def __init__(self, **kwargs: Given) -> None:
        kwargs.setdefault("widget", UnfoldAdminTextInputWidget(attrs={"placeholder": "DE"}))
        super().__init__(max_length=2, **kwargs)

    def to_python(self, value: Any) -> Any:
        """Return what was typed as a value."""
        return (super().to_python(value) or "").upper()

    def validate(self, value: Any) -> None:
        """Refuse a value that is not of the form."""
        super().validate(value)
        if value not in REGIONS:
            raise ValidationError(f"'{value}' is not a region: an ISO 3166-1 code such as DE, or EU.")


class RegionsField(forms.CharField):
    """Region codes, written with commas or spaces; cleans to a sorted list without repeats."""

    def __init__(self, **kwargs: Given) -> None:
        kwargs.setdefault("widget", UnfoldAdminTextInputWidget(attrs={"placeholder": "DE, FR, EU"}))
        kwargs.setdefault("required", False)
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Return a value as it is typed."""
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        """Return what was typed as a value."""
        text = super().to_python(value) or ""
        return sorted({part.upper() for part in text.replace(",", " ").split()})

    def validate(self, value: Any) -> None:
        """Refuse a value that is not of the form."""
        super().validate(value)
        unknown = [region for region in value if region not in REGIONS]
        if unknown:
            raise ValidationError(f"Unknown regions: {', '.join(unknown)}. A region is an ISO 3166-1 code, or EU.")

    def run_validators(self, value: Any) -> None:
        """The parts were validated one by one."""


class MomentField(forms.DateTimeField):
    """A moment in UTC, picked with the browser's own control."""

    def __init__(self, **kwargs: Given) -> None:
        kwargs.setdefault(
            "widget",
            forms.DateTimeInput(
                format="%Y-%m-%dT%H:%M:%S",
                attrs={"type": "datetime-local", "step": "1", "class": " ".join(INPUT_CLASSES)},
            ),
        )
        super().__init__(**kwargs)


class JsonField(forms.JSONField):
    """JSON, read as strictly as everywhere else; cleans to its value."""

    def to_python(self, value: Any) -> Any:
        """Return what was typed as a value. Raises ValidationError with the place of what is refused."""
        if not isinstance(value, str) or value in self.empty_values:
            return super().to_python(value)
        try:
            read_json(value)
        except JsonRefused as error:
            raise ValidationError(f"This cannot be read: {error}.", code="invalid") from error
        return super().to_python(value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return what was typed for showing it again."""
        try:
            read_json(data or "null")
        except JsonRefused:
            return InvalidJSONInput(data)
        return super().bound_data(data, initial)


def choice_field(
    choices: Iterable[tuple[str, Any]] | Callable[[], Iterable[tuple[str, Any]]], **kwargs: Given
) -> forms.ChoiceField:
    """Return a drop-down field; choices given as a function are asked for anew by each form."""
    given = choices if callable(choices) else list(choices)
    return forms.ChoiceField(choices=given, widget=UnfoldAdminSelectWidget(), **kwargs)


def checkbox_field(choices: Iterable[tuple[str, Any]], **kwargs: Given) -> forms.MultipleChoiceField:
    """Return a field of checkboxes."""
    return forms.MultipleChoiceField(choices=list(choices), widget=UnfoldAdminCheckboxSelectMultipleWidget(), **kwargs)


def names_field(choices: Iterable[tuple[str, Any]], **kwargs: Given) -> forms.MultipleChoiceField:
    """Return a searchable field for any number of names."""
    kwargs.setdefault("required", False)
    return forms.MultipleChoiceField(choices=list(choices), widget=UnfoldAdminSelect2MultipleWidget(), **kwargs)


def text_field(**kwargs: Given) -> forms.CharField:
    """Return a one-line text field."""
    return forms.CharField(widget=UnfoldAdminTextInputWidget(), **kwargs)
