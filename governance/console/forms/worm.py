"""Forms of WORM storage: how long things are kept, and for which one longer."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from governance.audit.choices import WormKind
from governance.audit.keeping.retention import FOREVER_DAYS
from governance.audit.models import RetentionClass
from governance.console.forms.fields import MomentField, choice_field
from governance.console.types import Cleaned, Given
from governance.kernel.regions import REGIONS
from governance.partners.models import Partner

SLUG_LENGTH = 50


class RetentionClassForm(forms.Form):
    """The scope of a class, which cannot change, and its days; empty means for ever."""

    field_of_code = {"retention_class_invalid": "kind"}

    name = forms.CharField(
        max_length=100, widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "Evidence, contract with Acme"})
    )
    days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=FOREVER_DAYS,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Empty means for ever: a hundred years, which scrubs renew. More days also apply to what is "
        "stored already; fewer only for what is stored from now on.",
    )

    def __init__(self, *args: Any, row: RetentionClass | None, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        if row is not None:
            self.initial = {"name": row.name, "days": row.days}
            return
        partners = Partner.objects.order_by("name").values_list("slug", "name")
        self.fields["kind"] = choice_field(WormKind.choices, help_text="What is kept.")
        self.fields["partner"] = choice_field(
            [("", "every partner"), *partners],
            required=False,
            help_text="Whose contract says how long; for evidence only.",
        )
        self.fields["region"] = choice_field(
            [("", "every region"), *((region, region) for region in sorted(REGIONS))],
            required=False,
            help_text="The partner's region; the class of a contract takes precedence over that of a region.",
        )
        self.order_fields(["name", "kind", "partner", "region", "days"])


def scope_of(data: Cleaned) -> dict[str, Any]:
    """Return what a new class is for, and its slug, which is made from that."""
    kind, partner, region = WormKind(data["kind"]), data["partner"], data["region"]
    slug = "-".join(filter(None, (kind.value, partner, region.lower())))[:SLUG_LENGTH]
    return {"slug": slug, "kind": kind, "partner": partner, "region": region}


class ExtendForm(forms.Form):
    """Until when one object is kept."""

    until = MomentField(help_text="In UTC. A retention is extended, never shortened: this cannot be taken back.")
