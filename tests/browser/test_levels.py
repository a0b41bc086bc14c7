"""Proposals of consent levels and licences, at the width of a desk and of a hand."""

import pytest
from django.urls import reverse

from governance.console.presentation import page_url
from tests.browser.conftest import keep
from tests.factories.levels import change_level, propose
from tests.factories.licences import change_licence, propose_change

DERIVED = ("asset.infer", "derivative_commercial")


@pytest.mark.parametrize("width", [1440, 390])
def test_proposals_and_versions_fit_the_screen(width, console, market):
    market.submit()
    licence = market.version.model.licence
    narrower, licensed = propose(market.level, pairs=[DERIVED]), propose_change(licence, regions=("US",))
    addresses = {"level-proposal": page_url(narrower), "licence-proposal": page_url(licensed)}
    change_level(market.level, pairs=[DERIVED, ("asset.preview", "research")])
    change_licence(licence, purposes=("research",))
    addresses |= {
        "level": page_url(market.level),
        "level-edit": reverse("admin:catalog_consentlevel_edit", args=[market.level.pk]),
        "levels": reverse("admin:catalog_consentlevel_changelist"),
        "licence": page_url(licence),
        "creator-narrowed": page_url(market.creator),
        "level-proposal-stale": page_url(narrower),
    }
    console.set_viewport_size({"width": width, "height": 900})
    for name, address in addresses.items():
        console.goto(address)
        keep(console, f"{name}-{width}")
