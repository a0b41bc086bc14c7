"""The field in which rules and licences name what has to be done with an output."""

import json
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget

from governance.console.forms.fields import JsonField
from governance.console.types import Given
from governance.engines.obligations import OBLIGATIONS, CountParameter, ObligationKind, Parameter
from governance.kernel.canonical import Json


class ObligationsWidget(UnfoldAdminTextareaWidget):  # type: ignore[misc]
    """A JSON list, which the page's script offers as a choice of kinds with fields for their parameters."""

    class Media:
        """The script that shows the fields. Without it the list is edited as JSON."""

        js = ("console/obligations.js",)

    def __init__(self) -> None:
        kinds = [_offered(kind) for kind in OBLIGATIONS.values()]
        super().__init__(attrs={"rows": 4, "spellcheck": "false", "data-obligation-kinds": json.dumps(kinds)})


class ObligationsField(JsonField):
    """A list of obligations. Whether they are known and complete is checked by the rulebook and the registry."""

    def __init__(self, **kwargs: Given) -> None:
        super().__init__(required=False, initial=list, widget=ObligationsWidget(), **kwargs)

    def clean(self, value: Any) -> list[dict[str, Json]]:
        """Return the list that was entered; an empty field is an empty list."""
        obligations = super().clean(value) or []
        if not isinstance(obligations, list) or not all(isinstance(each, dict) for each in obligations):
            raise forms.ValidationError('A list of objects with "kind" and, where needed, "parameters".')
        return obligations


def _offered(kind: ObligationKind) -> dict[str, Json]:
    return {
        "kind": kind.kind,
        "title": kind.title,
        "help": kind.help,
        "parameters": [_field(parameter) for parameter in kind.parameters],
    }


def _field(parameter: Parameter) -> dict[str, Json]:
    return {
        "name": parameter.name,
        "label": parameter.label,
        "help": parameter.help,
        "number": isinstance(parameter, CountParameter),
        "schema": parameter.schema,
    }
