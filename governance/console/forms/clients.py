"""Forms about the access and the credentials of API clients."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from governance.console.forms.fields import JsonField, MomentField, choice_field, text_field
from governance.console.forms.partners import REVOCATION_REASONS
from governance.console.types import Given
from governance.kernel import clock
from governance.partners.client_secrets import MAX_OVERLAP, USUAL_OVERLAP
from governance.partners.clients import NAME_CHARACTERS
from governance.partners.models import ApiClient

ENABLING_REASONS = [
    ("", "Choose a reason"),
    ("resolved", "What led to it is resolved"),
    ("disabled_by_mistake", "It was disabled by mistake"),
    ("asked_by_partner", "The partner asked for it"),
    ("enabled_by_operator", "Other"),
]
DISABLING_REASONS = [("", "Choose a reason"), *REVOCATION_REASONS[:-1], ("disabled_by_operator", "Other")]
UNTIL, AT_ONCE = "until", "at_once"


def form_key_field() -> forms.UUIDField:
    """Return the hidden field by which a form that is sent twice does its work once."""
    return forms.UUIDField(required=False, widget=forms.HiddenInput, initial=uuid4)


class ClientNameForm(forms.Form):
    """Another name for an API client."""

    name = text_field(max_length=NAME_CHARACTERS, help_text="Which app or server of the partner this is.")


class DisablingForm(forms.Form):
    """Why an API client is disabled. The reason goes to the ledger as a code."""

    reason = choice_field(DISABLING_REASONS)


class EnablingForm(forms.Form):
    """Why an API client is enabled again. The reason goes to the ledger as a code."""

    reason = choice_field(ENABLING_REASONS)


class RotationForm(forms.Form):
    """How long the present secret goes on beside the new one."""

    ending = choice_field(
        [(UNTIL, "goes on until the time below"), (AT_ONCE, "ends at once")], label="The present secret", initial=UNTIL
    )
    earlier_until = MomentField(
        required=False,
        label="Until",
        initial=lambda: clock.now() + USUAL_OVERLAP,
        help_text=f"UTC, at most {MAX_OVERLAP.days} days from now. It then ends by itself; it can be ended earlier.",
    )
    form_key = form_key_field()

    def clean(self) -> dict[str, Any]:
        """Return the end of the present secret, None for at once."""
        data = super().clean() or {}
        if data.get("ending") == AT_ONCE:
            data["earlier_until"] = None
        elif not isinstance(data.get("earlier_until"), datetime) and "earlier_until" not in self.errors:
            self.add_error("earlier_until", "Say until when the present secret goes on, or end it at once.")
        return data


class KeyForm(forms.Form):
    """A public key."""

    jwk = JsonField(
        label="Public key",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6, "spellcheck": "false"}),
        help_text='A JWK for P-256, Ed25519, or RSA of 2048 bits or more: {"kty": "OKP", "crv": "Ed25519", "x": "…"}.',
    )

    def clean_jwk(self) -> dict[str, object]:
        """Return the key, which must be a JSON object."""
        jwk = self.cleaned_data["jwk"]
        if not isinstance(jwk, dict):
            raise forms.ValidationError("A key is a JSON object.")
        return jwk


class RemoveKeyForm(forms.Form):
    """Which of its keys a client loses."""

    kid = forms.ChoiceField(label="Key", widget=UnfoldAdminSelectWidget())

    def __init__(self, *args: Any, client: ApiClient, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["kid"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(key.kid, f"{key.kid} ({key.algorithm})") for key in client.keys.all()]
