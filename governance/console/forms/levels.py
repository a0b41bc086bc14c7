"""What the governance team proposes that a consent level shall say."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from governance.catalog.level_terms import DESCRIPTION_CHARACTERS, LevelContent
from governance.console.forms.consent import PairMatrix
from governance.console.forms.fields import text_field
from governance.console.forms.proposals import ReasonMixin
from governance.console.types import Given
from governance.kernel.vocabulary import PURPOSE_LABELS, Action


class LevelForm(ReasonMixin):
    """A version of a consent level as it is proposed."""

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
    description = forms.CharField(
        required=False, max_length=DESCRIPTION_CHARACTERS, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )
    pairs = forms.MultipleChoiceField(
        choices=[(f"{action}:{purpose}", "") for action in Action for purpose in PURPOSE_LABELS],
        required=False,
        label="Permitted uses",
        widget=PairMatrix(),
        help_text="Each tick permits one action for one purpose. What is not ticked is not permitted.",
    )
    field_order = ("name", "slug", "rank", "description", "pairs", "reason", "base")

    def __init__(self, *args: Any, content: LevelContent | None, slug: str, **kwargs: Given) -> None:
        if content is not None:
            kwargs["initial"] = {**content.to_json(), "slug": slug, **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        self.fields["slug"].disabled = bool(slug)

    def clean_pairs(self) -> list[tuple[str, ...]]:
        """Refuse uses that are not known."""
        return [tuple(pair.split(":")) for pair in self.cleaned_data["pairs"]]
