"""WORM storage in a browser: a hold of two people, a class, and a scrub that is watched while it works."""

import pytest
from django.urls import reverse

from governance.audit.models import LegalHold, RetentionClass, ScrubRun, WormReference
from governance.audit.types import Actor
from governance.console.presentation import list_url, page_url
from governance.workflows.scrub import work_on_scrub
from tests.browser.conftest import keep

WORKER = Actor("worker", "w")


@pytest.fixture
def evidence(story):
    for kind, days in {"evidence": 2557, "policy": 3653, "checkpoint": None}.items():
        RetentionClass.objects.get_or_create(
            kind=kind, defaults={"slug": kind, "name": kind.capitalize(), "days": days}
        )
    return WormReference.objects.filter(kind="evidence").earliest("stored_at")


def test_a_hold_is_set_by_one_and_released_by_two(console, reviewer, evidence):
    console.goto(page_url(evidence))
    keep(console, "worm-object")
    console.click("text=Set a legal hold")
    console.fill("[name=reason]", "Case 12/2026: claim about the training use of this work")
    keep(console, "worm-hold-form")
    console.click("text=Hold it")
    console.wait_for_selector("text=The object is under legal hold")
    hold = LegalHold.objects.get()
    console.click("text=Ask to release it")
    console.fill("[name=reason]", "The claim was withdrawn")
    console.click("button[type=submit] >> text=Ask for it")
    console.wait_for_selector("text=A second person must agree")
    keep(console, "worm-hold-asked")

    reviewer.goto(page_url(hold))
    reviewer.click("text=Agree and release")
    reviewer.click("text=Release it now")
    reviewer.wait_for_selector("text=The hold is released")
    keep(reviewer, "worm-hold-released")
    hold.refresh_from_db()
    assert (hold.active, hold.release_asked_by != hold.released_by) == (False, True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_lists_are_kept_as_pictures(scheme, console, evidence):
    console.emulate_media(color_scheme=scheme)
    for name, model in {"objects": WormReference, "holds": LegalHold, "retention": RetentionClass}.items():
        console.goto(list_url(model))
        assert keep(console, f"worm-{name}-{scheme}").stat().st_size > 0


def test_a_class_for_a_contract(console, story):
    console.goto(reverse("admin:audit_retentionclass_add"))
    console.fill("[name=name]", "Evidence, contract with Lumen")
    console.select_option("[name=partner]", story.partner.slug)
    console.select_option("[name=region]", "DE")
    console.fill("[name=days]", "4383")
    keep(console, "worm-retention-add")
    console.click("button[type=submit] >> text=Save")
    console.wait_for_selector("text=was saved")
    keep(console, "worm-retention-saved")
    assert RetentionClass.objects.get(partner=story.partner.slug).days == 4383


def test_a_scrub_is_watched_and_names_what_is_wrong(console, evidence, private_data, settings):
    settings.ASSENT_SCRUB_BYTES_PER_SECOND = 1
    path = private_data / "worm" / "objects" / evidence.uri.removeprefix("worm+file:")
    path.chmod(0o644)
    path.write_bytes(b"{}")
    console.goto(list_url(ScrubRun))
    keep(console, "worm-scrubs-empty")
    console.click("text=Scrub now")
    console.click("button[type=submit] >> text=Start")
    console.wait_for_selector("text=0 of")
    run = ScrubRun.objects.get()
    for done in range(3):
        work_on_scrub(run_id=run.pk, done=done, actor=WORKER)
    run.refresh_from_db()
    console.wait_for_selector("text=3 of")  # the page looks again by itself
    keep(console, "worm-scrub-going-on")

    settings.ASSENT_SCRUB_BYTES_PER_SECOND = 10**9
    while not work_on_scrub(run_id=run.pk, done=run.done, actor=WORKER):
        run.refresh_from_db()
    console.wait_for_selector("text=1 fault")
    console.goto(page_url(run))
    keep(console, "worm-scrub-fault")
    console.goto(list_url(ScrubRun))
    keep(console, "worm-scrubs")
    console.goto(reverse("admin:index"))
    keep(console, "worm-dashboard")


def test_small_screens_show_everything_too(console, evidence):
    console.set_viewport_size({"width": 390, "height": 900})
    console.goto(page_url(evidence))
    keep(console, "worm-object-390")
    console.goto(list_url(RetentionClass))
    keep(console, "worm-retention-390")
