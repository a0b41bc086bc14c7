"""What people enter about proposals of versioned policy, whatever they are about."""

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from governance.catalog.proposals import COMMENT_CHARACTERS, REASON_CHARACTERS
from governance.console.types import Given


class StepForm(forms.Form):
    """What a person says about a step."""

    comment = forms.CharField(
        required=False,
        max_length=COMMENT_CHARACTERS,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="Stays with the proposal; the ledger holds only that the step was taken.",
    )


class NeededStepForm(StepForm):
    """A comment that cannot be left out."""

    def __init__(self, *args: Given, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        self.fields["comment"].required = True


class ApprovalForm(StepForm):
    """Approval of exactly the content that was on the page."""

    digest = forms.CharField(max_length=64, widget=forms.HiddenInput())


def reason_field(example: str) -> forms.CharField:
    """Return a field for the reason of a proposal, with an example in it."""
    return forms.CharField(
        max_length=REASON_CHARACTERS,
        label="Why",
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": example}),
        help_text="Reviewers read this first. It stays with the proposal.",
    )


class ReasonMixin(forms.Form):
    """The reason of a proposal, and the version in force when its form was opened."""

    reason = reason_field("Creators asked for a level without training")
    base = forms.UUIDField(required=False, widget=forms.HiddenInput())
