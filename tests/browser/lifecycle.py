"""The steps of the policy lifecycle, as people click them. The tests play the worker that replays."""

from concurrent.futures import ThreadPoolExecutor

from django.db import connection
from playwright.sync_api import Page

from governance.decisions.models import ReplayReport
from governance.decisions.replay import work_batch
from tests.factories.drafts import WORKER


def propose(page: Page, title: str, note: str = "") -> None:
    """Open a draft of the rules as they are."""
    page.goto("/admin/rulebook/policydraft/propose/")
    page.fill("[name=title]", title)
    page.fill("[name=note]", note)
    page.click("text=Propose and check")
    page.wait_for_selector("text=Now replay it against recorded decisions.")


def replay(page: Page) -> None:
    """Replay the draft on the page, wait for the report, and come back."""
    page.click(".as-form__actions >> text=Replay")
    page.click("text=Start the replay")
    page.wait_for_selector("text=The replay continues in the background.")
    work()
    # The page loads itself again while the replay goes on.
    page.wait_for_selector(".as-badge:has-text('Finished')")


def submit(page: Page) -> None:
    """Put the draft on the page before the reviewers."""
    page.click("text=Submit for review")
    page.fill("[name=comment]", "Please look.")
    page.click("button:has-text('Submit')")
    page.wait_for_selector("text=The draft is in review.")


def approve_and_activate(reviewer: Page, address: str) -> None:
    """Let somebody else approve the draft at an address and put it into force."""
    reviewer.goto(address)
    reviewer.click("a:has-text('Approve')")
    reviewer.fill("[name=comment]", "Looked at every flip. Fine.")
    reviewer.click("button:has-text('Approve')")
    reviewer.wait_for_selector("text=The draft is approved.")
    reviewer.click("a:has-text('Activate')")
    reviewer.click("text=Activate now")
    reviewer.wait_for_selector("text=It decides from now on.")


def put_into_force(page: Page, reviewer: Page, title: str, note: str = "") -> None:
    """Bring the rules as they are into force by all the steps that this takes."""
    propose(page, title, note)
    address = page.url
    replay(page)
    page.goto(address)
    submit(page)
    approve_and_activate(reviewer, address)


def work() -> None:
    """Do what the control worker does with the newest replay, on a connection of its own."""

    def whole() -> None:
        try:
            report = ReplayReport.objects.latest("asked_at")
            while work_batch(report_id=report.pk, actor=WORKER):
                pass
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(whole).result()
