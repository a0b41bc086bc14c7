"""The form of the page that checks receipts."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from governance.console.presentation import size

MAX_RECEIPT_BYTES = 1024 * 1024
MAX_ARTIFACT_BYTES = 1024 * 1024 * 1024


class PublicVerificationForm(forms.Form):
    """A receipt file, and the SHA-256 of the file that it is about, which the browser computes."""

    receipt = forms.FileField(
        label="Receipt",
        help_text="The JSON file that you were given.",
        widget=forms.FileInput(attrs={"accept": ".json,application/json", "class": "as-drop__input"}),
    )
    artifact_sha256 = forms.RegexField(
        r"\A[0-9a-f]{64}\Z",
        required=False,
        error_messages={"invalid": "This is not a SHA-256: 64 digits from 0 to f."},
        widget=forms.HiddenInput(),
    )

    def clean_receipt(self) -> "UploadedFile[bytes]":
        """Return the receipt, unread. Raises ValidationError."""
        return _within(self.cleaned_data["receipt"], MAX_RECEIPT_BYTES, "No receipt is as large as this")


class VerificationForm(forms.Form):
    """A receipt file, and the file that it is about."""

    receipt = forms.FileField(
        label="Receipt",
        help_text="The JSON file that was downloaded here or through the API.",
        widget=forms.FileInput(attrs={"accept": ".json,application/json", "class": "as-drop__input"}),
    )
    artifact = forms.FileField(
        label="File it is about",
        required=False,
        help_text="A picture, for instance. Without it, only the receipt itself is judged.",
        widget=forms.FileInput(attrs={"class": "as-drop__input"}),
    )

    def clean_receipt(self) -> "UploadedFile[bytes]":
        """Return the receipt, unread. Raises ValidationError."""
        return _within(self.cleaned_data["receipt"], MAX_RECEIPT_BYTES, "No receipt is as large as this")

    def clean_artifact(self) -> "UploadedFile[bytes] | None":
        """Return the file, unread. Raises ValidationError."""
        given: Any = self.cleaned_data["artifact"]
        hint = "Check it on your own machine, with the command below"
        return _within(given, MAX_ARTIFACT_BYTES, hint) if given else None


def _within(given: "UploadedFile[bytes]", limit: int, hint: str) -> "UploadedFile[bytes]":
    if (given.size or 0) > limit:
        raise forms.ValidationError(f"{size(given.size or 0)} is more than the {size(limit)} taken here. {hint}.")
    return given
