"""Forms that notice when somebody else changes what they show.

A form about a row whose state is on record carries that state in a hidden field, and the service refuses the change
when the row differs by then. The page shows what changed meanwhile and keeps what was typed; untouched fields take the
current values, so that submitting the form again undoes nothing.
"""

from collections.abc import Mapping
from typing import TypeVar

from django import forms
from django.db.models import Model
from django.http import QueryDict

from governance.audit.errors import ChangedMeanwhile
from governance.audit.recording.states import State, recorded_object_of
from governance.console.changes_on_record import in_words
from governance.console.subjects import person_names
from governance.kernel.canonical import canonical_json
from governance.kernel.json_reading import JsonRefused, read_json

SEEN = "seen"
FormT = TypeVar("FormT", bound=forms.Form)


class SeenField(forms.CharField):
    """The state that the form was filled with, as hidden canonical JSON; cleans to the state, or None."""

    def __init__(self, state: State) -> None:
        super().__init__(required=False, widget=forms.HiddenInput, initial=canonical_json(state).decode())

    def clean(self, value: object) -> State | None:
        """Check the fields against each other."""
        text = super().clean(value)
        try:
            state = read_json(text) if text else None
        except JsonRefused:
            state = text
        if state is not None and not isinstance(state, dict):
            raise forms.ValidationError("This page is out of date. Open it again.")
        return state


def carry_seen(form: FormT, row: Model | None) -> FormT:
    """Return the form with the field `seen` if it is about a row whose state is on record, else as it is.

    The cleaned data then has `seen` for the service.
    """
    return carry_state(form, recorded_state(row))


def recorded_state(row: Model | None) -> State | None:
    """Return the present state of a row whose state is on record, None for any other."""
    described = recorded_object_of(row) if row is not None else None
    return described.state(row) if row is not None and described is not None else None


def carry_state(form: FormT, state: State | None) -> FormT:
    """Return the form with the field `seen` that holds this state, or as it is for None.

    For forms that show more of a row than is on record.
    """
    if state is None:
        return form
    for field in form.fields.values():
        field.show_hidden_initial = not isinstance(field, forms.FileField)
    form.fields[SEEN] = SeenField(state)
    return form


def take_over(form: forms.Form, error: ChangedMeanwhile) -> None:
    """Update a refused form to the current state: as the seen state, and as the values of untouched fields.

    What a field was filled with lies beside it in the form, so touched ones are told from the others
    (`show_hidden_initial`). They keep what was typed.
    """
    now = error.meanwhile.now
    if now is None or SEEN not in form.fields or not isinstance(form.data, QueryDict):
        return
    touched = set(form.changed_data)
    data = form.data.copy()
    data[form.add_prefix(SEEN)] = canonical_json(now).decode()
    for name, field in form.fields.items():
        if not field.show_hidden_initial:
            continue
        bound = form[name]
        sent = _as_sent(field, bound.initial)
        data.setlist(bound.html_initial_name, sent)
        if name not in touched:
            data.setlist(bound.html_name, sent)
    form.data = data


def _as_sent(field: forms.Field, value: object) -> list[str]:
    """Return a value as a browser sends it back from the field."""
    prepared = field.prepare_value(value)
    if isinstance(field.widget, forms.CheckboxInput):
        return ["on"] if prepared else []
    shown = field.widget.format_value(prepared)
    if isinstance(shown, list | tuple):
        return [str(each) for each in shown]
    return [] if shown is None else [str(shown)]


def meanwhile_story(error: ChangedMeanwhile) -> Mapping[str, object]:
    """Return what the page shows of a conflict: each change, who made the last one and when."""
    found = error.meanwhile
    who = str(found.actor) if found.actor else ""
    return {
        "message": error.message,
        "deleted": found.now is None,
        "changes": in_words(found.changes),
        "who": person_names([who]).get(who, who),
        "at": found.at,
    }
