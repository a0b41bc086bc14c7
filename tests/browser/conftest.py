"""A real browser against a live server. Every page is watched: a script error, a breach of the Content Security Policy,
an answer without the security headers, a failed request or a request to anywhere else than the server fails the test.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, BrowserContext, Page, Request, Response, sync_playwright

from governance.api.headers import SECURITY_HEADERS
from governance.audit.evidence.anchoring import anchor_pending
from governance.audit.log.sequencer import sequence_pending
from governance.audit.ports import worm_store
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.console.roles import ensure_roles
from governance.demo.samples import low_resolution_png
from scripts.install_chromium import ADVICE, find_chromium
from scripts.stack.places import ROOT
from tests.factories.marketplace import Marketplace, finish, make_asset, make_marketplace
from tests.waiting import PATIENCE_SECONDS

SCREENSHOTS = ROOT / "build" / "screenshots"
PASSWORD = "correct horse battery staple"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    assert path, ADVICE
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # Playwright keeps an event loop in this thread, which Django takes for asynchronous code.
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def private_data(settings, tmp_path):
    """Give each test its own object storage, before the live server answers."""
    settings.DATA_DIR = tmp_path
    objects = settings.STORAGES["objects"]
    options = objects["OPTIONS"] | {"location": str(tmp_path / "objects")}
    settings.STORAGES = settings.STORAGES | {"objects": objects | {"OPTIONS": options}}
    with worm_store.override(FilesystemWormStore(tmp_path / "worm")):
        yield tmp_path


@pytest.fixture(autouse=True)
def sent(monkeypatch) -> list[str]:
    """Catch what is sent to the broker; the tests play the workers."""
    messages: list[str] = []
    monkeypatch.setattr("celery.current_app.send_task", lambda name, *args, **options: messages.append(name))
    return messages


@pytest.fixture
def market(browser, transactional_db, private_data) -> Marketplace:
    market = make_marketplace()
    ensure_roles()
    User.objects.create_superuser("boss", password=PASSWORD, first_name="Robin", last_name="Berg")
    return market


@pytest.fixture
def story(market) -> Marketplace:
    """Let things have happened to real photographs: jobs released, denied and waiting, all that ended sealed."""
    photos = [make_asset(market.creator, low_resolution_png(name)) for name in ("china", "chelsea", "flower")]
    for photo in photos:
        finish(market.submit(asset=photo).job.id)
    market.submit(asset=photos[0], purpose="research")
    market.submit(asset=photos[1], purpose="derivative_commercial")
    market.submit(asset=photos[2])
    sequence_pending()
    anchor_pending()
    sequence_pending()
    return market


@pytest.fixture
def page(browser, live_server) -> Iterator[Page]:
    """Return a watched page of 1440 × 900 pixels."""
    context = _patient_context(browser, live_server.url)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("console", lambda message: faults.extend([f"console: {message.text}"] * (message.type == "error")))
    page.on("requestfailed", lambda request: faults.extend(_failed(request)))
    page.on("response", lambda answer: faults.extend([f"{answer.status} {answer.url}"] * (answer.status >= 400)))
    page.on("request", lambda request: faults.extend(_outside(request, live_server.url)))
    page.on("response", lambda answer: faults.extend(_unprotected(answer, live_server.url)))
    yield page
    context.close()
    assert faults == []


@pytest.fixture
def console(page, market) -> Page:
    """Return a page that is logged in as a superuser."""
    return _logged_in(page, "boss")


@pytest.fixture
def reviewer(browser, live_server, market) -> Iterator[Page]:
    """Return the page of a second person, who wrote nothing."""
    context = _patient_context(browser, live_server.url)
    User.objects.create_superuser("second", password=PASSWORD, first_name="Sam", last_name="Oduya")
    yield _logged_in(context.new_page(), "second")
    context.close()


def _patient_context(browser: Browser, url: str) -> BrowserContext:
    """Return a context of its own for a person, whose pages wait as long as a slow machine takes."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=url)
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    return context


def _logged_in(page: Page, name: str) -> Page:
    page.goto("/admin/login/")
    page.fill("[name=login]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url("**/admin/")
    return page


def keep(page: Page, name: str) -> Path:
    """Keep a picture of the page as build output, and see that nothing sticks out of it sideways."""
    page.wait_for_load_state("networkidle")
    path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{name} is {wide} pixels too wide"
    return path


def _outside(request: Request, server: str) -> list[str]:
    return [] if request.url.startswith((server, "data:", "blob:")) else [f"outside: {request.url}"]


def _unprotected(answer: Response, server: str) -> list[str]:
    if not answer.url.startswith(server) or answer.url.startswith(f"{server}/static/"):
        return []  # Django's live server answers for static files before any middleware
    wanted = ("content-security-policy", *(name.lower() for name in SECURITY_HEADERS))
    return [f"no {name}: {answer.url}" for name in wanted if name not in answer.headers]


def _failed(request: Request) -> list[str]:
    """A request that the page itself gave up, such as an overtaken preview, is no fault."""
    return [] if request.failure == "net::ERR_ABORTED" else [f"failed: {request.url} {request.failure}"]
