"""WORM storage in the console: holds of two people, retention classes, and scrubs that can be watched."""

from datetime import timedelta

import pytest
from django.urls import reverse

from governance.audit.models import LegalHold, OutboxEntry, RetentionClass, ScrubRun, WormReference
from governance.audit.ports import worm_store
from governance.audit.types import Actor, Exchange, ProbeFinding
from governance.console.presentation import list_url, page_url
from governance.workflows.scrub import work_on_scrub

WORKER = Actor("worker", "w")


def url(row, part):
    return reverse(f"admin:audit_{row._meta.model_name}_{part}", args=[row.pk])


@pytest.fixture
def records(person):
    return person("Records manager")


@pytest.fixture
def second(person):
    return person("Governance manager")


@pytest.fixture
def auditor(person):
    return person("Auditor")


@pytest.fixture
def reference(released):
    return WormReference.objects.get(kind="evidence")


@pytest.fixture
def hold(reference, records):
    records.post(url(reference, "hold"), {"reason": "Case 12/2026"})
    return LegalHold.objects.get()


def stored(reference):
    return worm_store.get().head(uri=reference.uri, version_id=reference.version_id)


# objects and holds


def test_an_object_shows_what_the_store_promised(reference, auditor):
    page = auditor.get(page_url(reference)).content.decode()

    assert reference.sha256 in page
    assert "Never held" in page
    assert page_url(RetentionClass.objects.get(slug="evidence")) in page
    assert url(reference, "hold") not in page
    assert auditor.post(url(reference, "hold"), {"reason": "x"}).status_code == 403
    assert auditor.post(url(reference, "extend"), {}).status_code == 403


def test_policy_and_evidence_are_listed_and_filtered(reference, auditor, hold):
    every = auditor.get(list_url(WormReference)).content.decode()
    held = auditor.get(list_url(WormReference, "?held=yes")).content.decode()
    free = auditor.get(list_url(WormReference, "?held=no")).content.decode()

    assert ("policy/revisions" in every, reference.uri in every) == (True, True)
    assert ("policy/revisions" in held, reference.uri in held) == (False, True)
    assert ("policy/revisions" in free, reference.uri in free) == (True, False)


def test_a_hold_is_set_with_its_reason(reference, records, hold):
    assert stored(reference).held
    page = records.get(page_url(reference)).content.decode()
    assert "Under legal hold" in page
    assert "Case 12/2026" in page
    assert url(reference, "hold") not in page
    answer = records.post(url(reference, "hold"), {"reason": "Again"})
    assert "under legal hold already" in answer.content.decode()
    assert "records-manager" in records.get(page_url(hold)).content.decode()


def test_holds_are_listed(hold, auditor):
    page = auditor.get(list_url(LegalHold)).content.decode()
    assert ("Case 12/2026" in page, "records-manager" in page, hold.reference.uri in page) == (True, True, True)


def test_two_people_release_a_hold(reference, records, second, hold, django_capture_on_commit_callbacks):
    records.post(url(hold, "release"), {"reason": "Closed"})
    assert "A second person must agree" in records.get(page_url(hold)).content.decode()
    assert "second person must agree" in records.post(url(hold, "release")).content.decode()
    assert "Agree and release" in second.get(page_url(hold)).content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        second.post(url(hold, "release"))

    hold.refresh_from_db()
    assert not hold.active
    assert not stored(reference).held
    page = second.get(page_url(hold)).content.decode()
    assert "governance-manager" in page
    assert url(hold, "release") not in page
    assert "governance-manager" in second.get(page_url(reference)).content.decode()


def test_the_wish_to_release_is_taken_back(records, second, hold):
    records.post(url(hold, "release"), {"reason": "Closed"})
    assert records.get(url(hold, "keep")).status_code == 200
    second.post(url(hold, "keep"))

    hold.refresh_from_db()
    assert hold.release_asked_by == ""


def test_who_may_not_release_does_not(hold, auditor):
    for part in ("release", "keep"):
        assert auditor.post(url(hold, part), {"reason": "x"}).status_code == 403


def test_one_object_is_kept_longer(reference, records):
    until = (reference.retain_until + timedelta(days=10)).replace(microsecond=0)
    records.post(url(reference, "extend"), {"until": f"{until:%Y-%m-%dT%H:%M:%S}"})

    reference.refresh_from_db()
    assert reference.retain_until == until == stored(reference).retain_until
    refused = records.post(url(reference, "extend"), {"until": "2026-12-31T00:00:00"}).content.decode()
    assert "can only be extended" in refused


# retention classes


def test_the_general_classes_are_there_and_stay(records, db):
    page = records.get(list_url(RetentionClass)).content.decode()
    assert ("for ever" in page, "2,557 days (about 7 years)" in page) == (True, True)

    general = RetentionClass.objects.get(slug="policy")
    assert "Delete" not in records.get(page_url(general)).content.decode()
    assert records.post(url(general, "delete"), {"post": "yes"}).status_code == 403


def test_a_class_for_a_contract_is_made_changed_and_removed(records, market):
    add = reverse("admin:audit_retentionclass_add")
    fields = {"name": "Contract", "kind": "evidence", "partner": market.partner.slug, "region": "DE", "days": "4000"}
    records.post(add, fields)
    made = RetentionClass.objects.get(slug=f"evidence-{market.partner.slug}-de")
    assert made.days == 4000
    assert "already" in records.post(add, fields | {"name": "Once more", "days": "1"}).content.decode()

    records.post(page_url(made), {"name": "For ever", "days": ""})
    made.refresh_from_db()
    assert (made.name, made.days) == ("For ever", None)

    records.post(url(made, "delete"), {"post": "yes"})
    assert not RetentionClass.objects.filter(pk=made.pk).exists()
    kinds = OutboxEntry.objects.filter(kind__startswith="retention.").order_by("id").values_list("kind", flat=True)
    assert list(kinds)[-1] == "retention.removed"
    assert "retention.changed" in kinds


def test_an_auditor_changes_no_class(auditor, db):
    row = RetentionClass.objects.get(slug="evidence")
    assert auditor.get(page_url(row)).status_code == 200
    assert auditor.post(page_url(row), {"name": "Mine", "days": "1"}).status_code == 403


# scrubs


def test_a_scrub_is_started_watched_and_finished(reference, records, auditor, sent, django_capture_on_commit_callbacks):
    assert "Nothing was read back yet" in records.get(list_url(ScrubRun)).content.decode()
    start = reverse("admin:audit_scrubrun_start")
    assert records.get(start).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        records.post(start)
    run = ScrubRun.objects.get()
    assert "assent.control.scrub" in sent
    going_on = auditor.get(page_url(run)).content.decode()
    assert ('http-equiv="refresh"' in going_on, "0 of 2 objects" in going_on) == (True, True)
    assert "A scrub is under way" in records.get(list_url(ScrubRun)).content.decode()
    assert "is under way" in records.post(start).content.decode()

    while not work_on_scrub(run_id=run.pk, done=run.done, actor=WORKER):
        run.refresh_from_db()

    page = auditor.get(page_url(run)).content.decode()
    assert ("2 of 2 objects" in page, "refresh" in page) == (True, False)
    assert "The last scrub found nothing wrong" in auditor.get(list_url(ScrubRun)).content.decode()
    assert ">clean<" in auditor.get(reverse("admin:index")).content.decode()


def test_what_a_scrub_found_is_listed_and_on_the_dashboard(reference, records, private_data, sent):
    path = private_data / "worm" / "objects" / reference.uri.removeprefix("worm+file:")
    path.chmod(0o644)
    path.write_bytes(b"{}")
    records.post(reverse("admin:audit_scrubrun_start"))
    run = ScrubRun.objects.get()
    while not work_on_scrub(run_id=run.pk, done=run.done, actor=WORKER):
        run.refresh_from_db()

    page = records.get(page_url(run)).content.decode()
    assert "worm_object_altered" in page
    assert "Restore it from a copy" in page
    listed = records.get(list_url(ScrubRun)).content.decode()
    assert ("1 fault" in listed, "have changed" in listed) == (True, True)
    assert "1 fault" in records.get(reverse("admin:index")).content.decode()


def test_a_scrub_is_stopped(reference, records, auditor, sent):
    records.post(reverse("admin:audit_scrubrun_start"))
    run = ScrubRun.objects.get()
    assert "running" in auditor.get(reverse("admin:index")).content.decode()
    assert auditor.post(url(run, "cancel")).status_code == 403
    assert auditor.post(reverse("admin:audit_scrubrun_start")).status_code == 403
    assert records.get(url(run, "cancel")).status_code == 200

    records.post(url(run, "cancel"))

    run.refresh_from_db()
    assert run.state == "cancelled"
    assert "has ended" in records.post(url(run, "cancel")).content.decode()


class ProbedStore:
    """A store whose probe found something."""

    def probe(self):
        sent = Exchange("PutObject probe/1 ChecksumAlgorithm=SHA256", "200 VersionId=v1")
        return (ProbeFinding("storing damaged bytes", refused=False, detail="it took them", exchanges=(sent,)),)


def test_the_store_is_probed_and_what_came_back_is_shown(db, records, auditor):
    probe = reverse("admin:audit_wormreference_probe")
    assert "There is nothing to probe" in records.post(probe).text
    with worm_store.override(ProbedStore()):
        page = records.post(probe).text
    told = ("allowed", "it took them", "ChecksumAlgorithm=SHA256", "200 VersionId=v1")
    assert [each for each in told if each not in page] == []
    assert (auditor.get(probe).status_code, auditor.post(probe).status_code) == (403, 403)
