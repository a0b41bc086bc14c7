"""What the governance team proposes that a licence shall say."""

from datetime import datetime
from typing import Any, TypeVar

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldAdminURLInputWidget

from governance.console.forms.fields import MomentField, RegionsField, checkbox_field, names_field, text_field
from governance.console.forms.obligations import ObligationsField
from governance.console.forms.proposals import ReasonMixin
from governance.kernel import clock
from governance.kernel.vocabulary import PURPOSE_CHOICES
from governance.partners.models import Partner
from governance.registry.licence_terms import NAME_CHARACTERS, LicenceContent

M = TypeVar("M", datetime, datetime | None)


class LicenceForm(ReasonMixin):
    """A version of a licence as it is proposed."""

    name = text_field(max_length=NAME_CHARACTERS)
    slug = forms.SlugField(
        widget=UnfoldAdminTextInputWidget(), help_text="Stable name used in policies; cannot be changed later."
    )
    purposes = checkbox_field(PURPOSE_CHOICES, required=False, help_text="What is not ticked is not licensed.")
    regions = RegionsField(help_text="Two-letter codes. Empty: everywhere.")
    partners = names_field([], help_text="Empty: every partner.")
    valid_from = MomentField(initial=clock.now, help_text="UTC.")
    valid_until = MomentField(required=False, help_text="UTC. Empty: without end.")
    obligations = ObligationsField(help_text="What has to be done with every output of a model under this licence.")
    terms_url = forms.URLField(required=False, assume_scheme="https", widget=UnfoldAdminURLInputWidget())
    field_order = (
        "name", "slug", "purposes", "regions", "partners", "valid_from", "valid_until", "obligations", "terms_url",
        "reason", "base",
    )  # fmt: skip

    def __init__(self, *args: Any, content: LicenceContent | None, slug: str, **kwargs: Any) -> None:
        if content is not None:
            moments = {"valid_from": content.valid_from, "valid_until": content.valid_until}
            kwargs["initial"] = {**content.to_json(), **moments, "slug": slug, **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        self.shown = content
        self.fields["slug"].disabled = bool(slug)
        partners = self.fields["partners"]
        assert isinstance(partners, forms.MultipleChoiceField)
        partners.choices = list(Partner.objects.values_list("slug", "name"))

    def content(self, data: dict[str, Any]) -> LicenceContent:
        """Return the cleaned data as a content, still to be checked by `checked_licence`."""
        return LicenceContent(
            name=data["name"],
            purposes=tuple(data["purposes"]),
            regions=tuple(data["regions"]),
            partners=tuple(data["partners"]),
            valid_from=_exact(data["valid_from"], self.shown.valid_from if self.shown else None),
            valid_until=_exact(data["valid_until"], self.shown.valid_until if self.shown else None),
            obligations=tuple(data["obligations"]),
            terms_url=data["terms_url"],
        )


def _exact(entered: M, shown: datetime | None) -> M:
    """Return the moment that was shown where it was left as it is: the browser's control knows no fractions."""
    left = shown is not None and entered == shown.replace(microsecond=0)
    return shown if left and shown is not None else entered
