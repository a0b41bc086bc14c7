"""Form fields of the console."""

import pytest
from django.core.exceptions import ValidationError

from governance.console.forms.fields import RegionField, RegionsField


@pytest.mark.parametrize(
    ("text", "regions"),
    [("", []), ("de", ["DE"]), ("FR, de,FR", ["DE", "FR"]), ("  eu\tus ", ["EU", "US"])],
)
def test_regions_are_read_in_any_writing(text, regions):
    assert RegionsField().clean(text) == regions


@pytest.mark.parametrize("text", ["Germany", "D", "D1", "DE;FR", "XX"])
def test_what_is_no_region_is_named(text):
    with pytest.raises(ValidationError, match="Unknown regions"):
        RegionsField().clean(text)


def test_one_region_is_read_in_any_case():
    assert RegionField().clean("eu") == "EU"


@pytest.mark.parametrize("text", ["", "XX", "D", "DEU"])
def test_one_region_must_be_one(text):
    with pytest.raises(ValidationError):
        RegionField().clean(text)


def test_regions_are_shown_as_they_are_written():
    assert RegionsField().prepare_value(["DE", "FR"]) == "DE, FR"
