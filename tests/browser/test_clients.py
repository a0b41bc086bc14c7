"""Secrets of API clients, shown once, and claims, both works side by side."""

from django.urls import reverse

from governance.catalog.models import UploadReview
from governance.console.presentation import list_url, page_url
from governance.demo.samples import low_resolution_png
from governance.partners.models import ApiClient
from tests.browser.conftest import keep
from tests.factories.catalog import CreatorFactory
from tests.factories.marketplace import make_asset


def fill(console, market) -> None:
    console.goto(reverse("admin:partners_apiclient_add"))
    console.select_option("[name=partner]", str(market.partner.pk))
    console.fill("[name=name]", "Photo app")
    console.check("[name=actions][value='asset.infer']")
    console.check("[name=purposes][value='commercial']")


def test_a_secret_is_gone_once_its_page_is_left_or_loaded_again(console, market):
    fill(console, market)
    console.click(".as-form__actions button[type=submit]")
    secret = console.inner_text("#client-secret")
    client = ApiClient.objects.get(name="Photo app")
    assert console.url.endswith(page_url(client))
    keep(console, "client-secret")

    console.reload()
    assert secret not in console.content()
    assert console.is_visible("text=New secret")
    keep(console, "client")
    console.goto(reverse("admin:index"))
    console.go_back()
    assert secret not in console.content()
    assert ApiClient.objects.filter(name="Photo app").count() == 1


def test_a_double_click_makes_one_client(console, market):
    fill(console, market)
    console.dblclick(".as-form__actions button[type=submit]", no_wait_after=True)
    console.wait_for_function(
        "location.pathname.endsWith('/change/') || document.body.innerText.includes('sent already')"
    )

    assert ApiClient.objects.filter(name="Photo app").count() == 1


def test_a_rotation_shows_its_secret_once(console, market):
    console.goto(page_url(market.client))
    console.click('a:text-is("New secret")')
    keep(console, "client-rotate")
    console.click(".as-form__actions button[type=submit]")
    secret = console.inner_text("#client-secret")

    console.click("text=I have kept it")
    console.wait_for_selector("text=The one before is good until")
    assert secret not in console.content()


def test_a_claim_shows_both_works_and_is_decided(console, market):
    photo = low_resolution_png("china")
    make_asset(market.creator, photo)
    make_asset(CreatorFactory(slug="bruno"), photo)
    claim = UploadReview.objects.get()
    console.goto(list_url(UploadReview))
    keep(console, "claims")
    console.goto(page_url(claim))
    keep(console, "claim")
    console.click("a.as-button--primary")
    console.check("[name=decision][value=moved]")
    console.fill("[name=reason]", "The second creator showed the negative.")
    keep(console, "claim-decide")
    console.click(".as-form__actions button[type=submit]")
    console.wait_for_selector("text=Moved to this creator")
