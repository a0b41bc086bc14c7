"""What the governance team enters about consent."""

import hashlib
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from governance.catalog.choices import GrantMethod
from governance.catalog.models import SHA256, ConsentLevel
from governance.console.forms.fields import MomentField, RegionsField, choice_field, names_field, text_field
from governance.kernel.vocabulary import ACTION_LABELS, PURPOSE_LABELS, Action
from governance.partners.models import Partner

#: A creator consents to what is done with works; what is done with models is the licence's business.
WORK_ACTIONS = tuple(action for action in Action if action.startswith("asset."))


class GrantForm(forms.Form):
    """A grant of consent, with its terms."""

    level = forms.ModelChoiceField(
        queryset=ConsentLevel.objects.all(),
        widget=UnfoldAdminSelectWidget(),
        empty_label="Choose a level",
        help_text="The set of uses that is granted. Levels are defined under Consent levels.",
    )
    regions = RegionsField(help_text="Two-letter codes. Empty: everywhere.")
    partners_allowed = names_field([], label="Only these partners", help_text="Empty: every partner.")
    partners_excluded = names_field([], label="Never these partners", help_text="Exclusion beats every permission.")
    valid_from = MomentField(required=False, help_text="UTC. Empty: from now on.")
    valid_until = MomentField(required=False, help_text="UTC. Empty: without end.")
    method = choice_field(GrantMethod.choices, label="How it was given", initial=GrantMethod.CONSOLE)
    document = forms.FileField(
        required=False,
        label="Evidence document",
        widget=UnfoldAdminFileFieldWidget(),
        help_text="The signed form or letter. It is not stored: only its SHA-256 goes on record.",
    )
    evidence_digest = forms.CharField(
        required=False,
        label="or its SHA-256",
        validators=[SHA256],
        widget=UnfoldAdminTextInputWidget(),
        help_text="64 hexadecimal digits, where the document is kept elsewhere.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        partners = list(Partner.objects.values_list("slug", "name"))
        for name in ("partners_allowed", "partners_excluded"):
            field = self.fields[name]
            assert isinstance(field, forms.MultipleChoiceField)
            field.choices = partners

    def clean(self) -> dict[str, Any]:
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
    """A withdrawal of consent: of what, and how it reached us."""

    scope = forms.ChoiceField(label="What is withdrawn", widget=UnfoldAdminRadioSelectWidget())
    method = choice_field(GrantMethod.choices, label="How it was withdrawn", initial=GrantMethod.CONSOLE)

    def __init__(self, *args: Any, scopes: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["scope"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = scopes
        field.initial = scopes[0][0]


class PairMatrix(forms.CheckboxSelectMultiple):
    """Checkboxes in a grid: actions down, purposes across. Values are "action:purpose"."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        chosen = set(value or ())
        actions = [*WORK_ACTIONS, *sorted({Action(pair.split(":")[0]) for pair in chosen} - set(WORK_ACTIONS))]
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


class LevelForm(forms.Form):
    """A consent level and the uses it permits."""

    name = text_field(max_length=100, help_text="As creators and partners read it.")
    slug = forms.SlugField(
        widget=UnfoldAdminTextInputWidget(), help_text="Stable name used in policies; cannot be changed later."
    )
    rank = forms.IntegerField(
        min_value=0,
        max_value=32_767,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Order in lists, from least to most permissive.",
    )
    description = forms.CharField(required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))
    pairs = forms.MultipleChoiceField(
        choices=[(f"{action}:{purpose}", "") for action in Action for purpose in PURPOSE_LABELS],
        required=False,
        label="Permitted uses",
        widget=PairMatrix(),
        help_text="Each tick permits one action for one purpose. What is not ticked is not permitted.",
    )

    def __init__(self, *args: Any, level: ConsentLevel | None, **kwargs: Any) -> None:
        if level is not None:
            kwargs["initial"] = {
                "name": level.name,
                "slug": level.slug,
                "rank": level.rank,
                "description": level.description,
                "pairs": [f"{pair.action}:{pair.purpose}" for pair in level.pairs.all()],
            }
        super().__init__(*args, **kwargs)
        self.fields["slug"].disabled = level is not None

    def clean_pairs(self) -> list[tuple[str, ...]]:
        return [tuple(pair.split(":")) for pair in self.cleaned_data["pairs"]]
