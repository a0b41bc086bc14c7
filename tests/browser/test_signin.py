"""Signing in with a second factor, in a real browser with a security key that it emulates, wide and on a phone."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User

from tests.browser.conftest import PASSWORD, keep
from tests.totp import code_of, secret_on

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.running_clock]
KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(autouse=True)
def required(settings):
    settings.ASSENT_SECOND_FACTOR = "required"


@pytest.fixture
def phone(page, market):
    """Return a page as narrow as a phone, whose browser has a key."""
    page.set_viewport_size({"width": 390, "height": 844})
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
    return page


def log_in(page) -> None:
    page.goto("/admin/login/")
    page.fill("[name=login]", "boss")
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")


def test_an_app_is_set_up_on_a_phone(phone):
    log_in(phone)
    phone.wait_for_selector("text=Set one up to go on")
    keep(phone, "account-390")
    phone.click("text=Set up >> nth=0")
    phone.goto("/admin/account/app/add/")
    keep(phone, "app-390")
    phone.fill("[name=code]", code_of(secret_on(phone.content())))
    phone.click("button[type=submit]")
    phone.wait_for_selector("text=They are shown only now")
    keep(phone, "recovery-codes-390")
    phone.click("text=I have kept them")
    phone.wait_for_url("**/admin/")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_key_is_set_up_and_signs_in(scheme, phone):
    phone.emulate_media(color_scheme=scheme)
    log_in(phone)
    phone.goto("/admin/account/keys/add/")
    keep(phone, f"key-390-{scheme}")
    phone.fill("[name=name]", "Work phone")
    phone.click("#add-key")
    phone.wait_for_selector("text=They are shown only now")
    phone.goto("/admin/account/")
    keep(phone, f"account-with-key-390-{scheme}")
    phone.click("text=Log out")

    log_in(phone)
    phone.wait_for_selector("text=Your password is right")
    phone.set_viewport_size({"width": 1440, "height": 900})
    keep(phone, f"second-factor-{scheme}")
    phone.click("#use-key")
    phone.wait_for_url("**/admin/")
    assert Authenticator.objects.get(type="webauthn").user == User.objects.get(username="boss")


def test_an_app_and_passwords_look_like_the_console(phone):
    phone.set_viewport_size({"width": 1440, "height": 900})
    log_in(phone)
    phone.goto("/admin/account/app/add/")
    keep(phone, "app-1440")
    phone.goto("/admin/account/password/")
    keep(phone, "password-1440")


def test_the_sign_in_page_offers_single_sign_on(page, market, settings):
    settings.ASSENT_OIDC_ISSUER, settings.ASSENT_OIDC_NAME = "https://id.example", "Example ID"
    page.goto("/admin/login/")
    page.wait_for_selector("text=Log in with Example ID")
    keep(page, "login-sso")
