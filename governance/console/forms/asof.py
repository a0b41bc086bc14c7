"""The form for the state of an object at a moment."""

from collections.abc import Mapping
from datetime import datetime

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from governance.audit.errors import MomentInvalid
from governance.audit.recording.asof import read_moment
from governance.audit.recording.states import recorded_objects
from governance.kernel import clock


def _types() -> list[tuple[str, str]]:
    found = [
        (subject, described.noun[:1].upper() + described.noun[1:]) for subject, described in recorded_objects().items()
    ]
    return sorted(found, key=lambda choice: choice[1])


class AsOfForm(forms.Form):
    """A type of object, its slug or id, and a moment; without one, now."""

    field_of_code: Mapping[str, str] = {"ledger_object_unknown": "name"}

    type = forms.ChoiceField(label="Type", choices=_types, widget=UnfoldAdminSelectWidget())
    name = forms.CharField(label="Slug or id", max_length=200, widget=UnfoldAdminTextInputWidget())
    at = forms.CharField(
        label="As of",
        required=False,
        max_length=40,
        help_text="A date (its end in UTC) or a time such as 2026-03-01T12:00:00Z. Empty: now.",
        widget=UnfoldAdminTextInputWidget(),
    )

    def clean_at(self) -> datetime:
        """Return the moment. Raises ValidationError."""
        text = self.cleaned_data["at"]
        try:
            return read_moment(text) if text else clock.now()
        except MomentInvalid as error:
            raise forms.ValidationError(error.message) from error
