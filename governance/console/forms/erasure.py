"""The confirmation of an erasure of personal data."""

from typing import Any

from django import forms

from governance.catalog.choices import GrantMethod
from governance.console.forms.fields import choice_field, text_field
from governance.console.types import Given


class EraseForm(forms.Form):
    """How the request came, and the typed slug, so that nobody is erased by accident."""

    method = choice_field(GrantMethod.choices, label="How the creator asked for it")
    slug = text_field(max_length=50, help_text="Type the creator's slug to confirm.")

    def __init__(self, *args: Any, slug: str, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        self._slug = slug

    def clean_slug(self) -> str:
        typed = str(self.cleaned_data["slug"])
        if typed != self._slug:
            raise forms.ValidationError(f"This is not the slug; it is “{self._slug}”.")
        return typed
