"""The form of a decision on an upload that waits for review."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminRadioSelectWidget

from governance.catalog.checks import REASON_CHARACTERS
from governance.catalog.choices import ReviewDecision
from governance.catalog.models import UploadReview
from governance.console.forms.fields import text_field
from governance.console.types import Given

ALONE = {
    ReviewDecision.ACCEPTED: "Accept: the work can be used",
    ReviewDecision.REFUSED: "Refuse: the work goes into quarantine",
}
CONTESTED = {
    ReviewDecision.ACCEPTED: "Accept both: each work can be used as its own creator consents",
    ReviewDecision.REFUSED: "It belongs to the other creator: this upload goes into quarantine",
    ReviewDecision.MOVED: "It belongs to this creator: this upload can be used, the other works go into quarantine",
}


class ClaimForm(forms.Form):
    """What becomes of the upload, and why."""

    field_of_code = {"review_decided": "decision"}

    decision = forms.ChoiceField(widget=UnfoldAdminRadioSelectWidget())
    reason = text_field(
        max_length=REASON_CHARACTERS,
        help_text="Shown in the console with the works. The ledger holds only a commitment to it.",
    )

    def __init__(self, *args: Any, contested: bool, review: UploadReview, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["decision"]
        assert isinstance(field, forms.ChoiceField)
        offered = CONTESTED if contested else ALONE
        field.choices = [(each.value, label) for each, label in offered.items() if each != review.decision]
