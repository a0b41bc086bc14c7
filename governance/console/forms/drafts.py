"""Forms of the policy lifecycle: proposing, reviewing, replaying, rolling back, freezing."""

from datetime import timedelta

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from governance.console.types import Cleaned, Given
from governance.kernel import clock

WINDOWS = {"1": "the last day", "7": "the last 7 days", "30": "the last 30 days", "365": "the last year"}
SHARES = {"100": "every decision", "10": "a sample of 10 %", "1": "a sample of 1 %"}


class ProposeForm(forms.Form):
    """What a draft is called and why it is made."""

    title = forms.CharField(
        max_length=120,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "Block two regions while the dispute is open"}),
        help_text="What reviewers see in their list.",
    )
    note = forms.CharField(
        required=False,
        max_length=300,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Why the rules should change. It stays with the revision.",
    )


class CommentForm(forms.Form):
    """What a person says about a step."""

    comment = forms.CharField(
        required=False,
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="Stays with the draft; the ledger holds only that the step was taken.",
    )


class NeededCommentForm(CommentForm):
    """A comment that cannot be left out."""

    def __init__(self, *args: Given, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        self.fields["comment"].required = True


class ApproveForm(NeededCommentForm):
    """Approval of exactly the content that was on the page."""

    digest = forms.CharField(max_length=64, widget=forms.HiddenInput())


class ReasonForm(forms.Form):
    """The reason for a drastic step."""

    reason = forms.CharField(
        max_length=300, widget=UnfoldAdminTextInputWidget(), help_text="Stays on record with the step."
    )


class RollbackForm(ReasonForm):
    """A rollback from exactly the revision that was on the page."""

    active = forms.UUIDField(widget=forms.HiddenInput())


class ReplayForm(forms.Form):
    """The recorded decisions that a draft is replayed over."""

    days = forms.ChoiceField(
        choices=list(WINDOWS.items()), initial="30", label="Decisions of", widget=UnfoldAdminSelectWidget()
    )
    sample_percent = forms.ChoiceField(
        choices=list(SHARES.items()), initial="100", label="How many", widget=UnfoldAdminSelectWidget()
    )

    def clean(self) -> Cleaned:
        """Check the fields against each other."""
        data = super().clean() or {}
        if not self.errors:
            data["until"] = clock.now()
            data["since"] = data["until"] - timedelta(days=int(data["days"]))
            data["sample_percent"] = int(data["sample_percent"])
        return data
