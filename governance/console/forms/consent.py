"""What the governance team enters about consent."""

import hashlib
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from governance.catalog.choices import GrantMethod
from governance.catalog.models import SHA256, ConsentLevel, ConsentLevelVersion
from governance.console.forms.fields import MomentField, RegionsField, choice_field, names_field
from governance.console.types import Cleaned, Given
from governance.kernel.vocabulary import ACTION_LABELS, PURPOSE_LABELS, Action
from governance.partners.models import Partner

#: Creators consent to uses of works; uses of models are governed by licences.
WORK_ACTIONS = tuple(action for action in Action if action.startswith("asset."))


class GrantForm(forms.Form):
    """A grant of consent, with its terms."""

    level_version = forms.ModelChoiceField(
        queryset=ConsentLevelVersion.objects.filter(pk__in=ConsentLevel.objects.values("in_force")).order_by("rank"),
        widget=UnfoldAdminSelectWidget(),
        empty_label="Choose a level",
        label="Level",
        help_text="The set of uses that is granted. Levels are defined under Consent levels.",
        error_messages={"invalid_choice": "Another version of this level is in force now. Look at its uses again."},
    )
    regions = RegionsField(help_text="Two-letter codes. Empty: everywhere.")
    partners_allowed = names_field([], label="Only these partners", help_text="Empty: every partner.")
    partners_excluded = names_field([], label="Never these partners", help_text="Exclusion overrides every permission.")
    valid_from = MomentField(required=False, help_text="UTC. Empty: from now on.")
    valid_until = MomentField(required=False, help_text="UTC. Empty: without end.")
    method = choice_field(GrantMethod.choices, label="How it was given", initial=GrantMethod.CONSOLE)
    document = forms.FileField(
        required=False,
        label="Evidence document",
        widget=UnfoldAdminFileFieldWidget(),
        help_text="The signed form or letter. It is not stored; only its SHA-256 is recorded.",
    )
    evidence_digest = forms.CharField(
        required=False,
        label="or its SHA-256",
        validators=[SHA256],
        widget=UnfoldAdminTextInputWidget(),
        help_text="64 hexadecimal digits, where the document is kept elsewhere.",
    )

    def __init__(self, *args: Given, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        partners = list(Partner.objects.values_list("slug", "name"))
        for name in ("partners_allowed", "partners_excluded"):
            field = self.fields[name]
            assert isinstance(field, forms.MultipleChoiceField)
            field.choices = partners

    def clean(self) -> Cleaned:
        """Check the fields against each other."""
        data = super().clean() or {}
        document = data.pop("document", None)
        if document and data.get("evidence_digest"):
            self.add_error("evidence_digest", "Give either the document or its digest.")
        elif document:
            digest = hashlib.sha256()
            for chunk in document.chunks():
                digest.update(chunk)
            data["evidence_digest"] = digest.hexdigest()
        return data


class WithdrawForm(forms.Form):
    """A withdrawal of consent: its scope, and how it was received."""

    scope = forms.ChoiceField(label="What is withdrawn", widget=UnfoldAdminRadioSelectWidget())
    method = choice_field(GrantMethod.choices, label="How it was withdrawn", initial=GrantMethod.CONSOLE)

    def __init__(self, *args: Any, scopes: list[tuple[str, str]], **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["scope"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = scopes
        field.initial = scopes[0][0]


class PairMatrix(forms.CheckboxSelectMultiple):
    """Checkboxes in a grid: actions down, purposes across. Values are "action:purpose"."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Return the HTML of the field."""
        chosen = set(value or ())
        named = {pair.split(":")[0] for pair in chosen}  # of a form sent by a program, anything
        actions = [*WORK_ACTIONS, *sorted(named & set(Action) - set(WORK_ACTIONS))]
        rows = [
            {
                "action": action.value,
                "label": ACTION_LABELS[action],
                "cells": [
                    {
                        "value": f"{action}:{purpose}",
                        "label": f"{ACTION_LABELS[action]}: {label}",
                        "checked": f"{action}:{purpose}" in chosen,
                    }
                    for purpose, label in PURPOSE_LABELS.items()
                ],
            }
            for action in actions
        ]
        context = {
            "name": name,
            "rows": rows,
            "purposes": list(PURPOSE_LABELS.values()),
            "disabled": bool((attrs or {}).get("disabled")),
        }
        return SafeString(render_to_string("console/widgets/matrix.html", context))
