"""Erasing a creator by hand: the page says what goes and what stays, and the creator's page says that it was done."""

import pytest
from django.urls import reverse

from governance.catalog.models import Creator
from governance.console.presentation import page_url
from tests.browser.conftest import keep


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_creator_is_erased_with_the_slug_typed_by_hand(scheme, console, story):
    creator = story.creator
    console.emulate_media(color_scheme=scheme)
    console.goto(page_url(creator))
    console.click("text=Erase personal data")
    console.wait_for_url(f"**{reverse('admin:catalog_creator_erase', args=[creator.pk])}")
    keep(console, f"erase-{scheme}")

    console.fill("[name=slug]", "somebody")
    console.click("text=Erase for good")
    console.wait_for_selector("text=This is not the slug")
    console.fill("[name=slug]", creator.slug)
    console.click("text=Erase for good")
    console.wait_for_selector("text=The personal data was erased")

    keep(console, f"erased-creator-{scheme}")
    assert Creator.objects.get(pk=creator.pk).erased_at is not None
