"""Creators, datasets and works in the console: forms go through services, and none undoes what it did not show."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from governance.audit.models import OutboxEntry
from governance.catalog.creators import change_creator
from governance.catalog.models import Asset, Creator, Dataset
from governance.catalog.works import change_asset
from governance.console.presentation import page_url
from tests.factories.catalog import ACTOR, AssetFactory, DatasetFactory
from tests.factories.images import encoded, noise
from tests.factories.marketplace import make_asset
from tests.factories.pictures import exif_with, gain_map, png_chunk, png_file, png_header
from tests.html_forms import as_sent

ADD_DATASET = "admin:catalog_dataset_add"


@pytest.fixture
def manager(person):
    return person("Governance manager")


def kinds(subject):
    return list(OutboxEntry.objects.filter(subject_id=str(subject.pk)).order_by("id").values_list("kind", flat=True))


def test_a_creator_is_added_and_changed_through_the_services(market, manager):
    entered = {"display_name": "Bea Roth", "slug": "bea", "email": "bea@example.org", "region": "de"}
    assert manager.post(reverse("admin:catalog_creator_add"), entered).status_code == 302
    creator = Creator.objects.get(slug="bea")
    sent = as_sent(manager.get(page_url(creator)).text) | {"region": ["FR"], "uploaders": ["lumen"]}

    assert manager.post(page_url(creator), sent).url == page_url(creator)

    creator.refresh_from_db()
    assert (creator.display_name, creator.region, creator.uploaders) == ("Bea Roth", "FR", ["lumen"])
    assert kinds(creator) == ["creator.committed", "creator.created", "creator.changed"]


@pytest.mark.parametrize(
    ("field", "entered"),
    [
        ("slug", {"slug": "ada"}),
        ("email", {"email": "nowhere"}),
        ("region", {"region": "XX"}),
        ("display_name", {"display_name": ""}),
        ("uploaders", {"uploaders": ["nobody"]}),
    ],
)
def test_what_cannot_be_on_file_is_reported_at_the_field(field, entered, market, manager):
    good = {"display_name": "Bea", "slug": "bea", "email": "", "region": "DE"}
    answer = manager.post(reverse("admin:catalog_creator_add"), good | entered)
    assert field in answer.context["form"].errors
    assert Creator.objects.count() == 1


def test_a_creator_changed_meanwhile_is_not_overwritten(market, manager):
    sent = as_sent(manager.get(page_url(market.creator)).text) | {"region": ["NO"]}
    change_creator(
        creator=market.creator, display_name="Ada Roth", email="", region="SE", uploaders=["lumen"], actor=ACTOR
    )

    answer = manager.post(page_url(market.creator), sent)

    assert "The creator was changed meanwhile." in answer.text
    assert 'value="Ada Roth"' in answer.text
    assert 'value="NO"' in answer.text
    creator = Creator.objects.get()
    assert (creator.display_name, creator.region) == ("Ada Roth", "SE")


def test_a_form_writes_neither_status_nor_epoch(market, manager):
    sent = as_sent(manager.get(page_url(market.creator)).text)
    manager.post(page_url(market.creator), sent | {"status": ["suspended"], "consent_epoch": ["99"], "region": ["NO"]})
    creator = Creator.objects.get()
    assert (creator.region, creator.status, creator.consent_epoch) == ("NO", "active", market.creator.consent_epoch)


def test_a_partner_that_no_longer_exists_stays_named_until_somebody_takes_it_out(market, manager):
    Creator.objects.update(uploaders=["gone"])
    sent = as_sent(manager.get(page_url(market.creator)).text)
    manager.post(page_url(market.creator), sent | {"region": ["NO"]})
    assert Creator.objects.get().uploaders == ["gone"]


def test_a_dataset_is_made_changed_and_deleted_through_the_services(market, manager):
    manager.post(reverse(ADD_DATASET), {"name": "Zoo", "slug": "zoo"})
    dataset = Dataset.objects.get()
    manager.post(page_url(dataset), as_sent(manager.get(page_url(dataset)).text) | {"name": ["Animals"]})
    assert (Dataset.objects.get().name, Dataset.objects.get().slug) == ("Animals", "zoo")

    manager.post(reverse("admin:catalog_dataset_delete", args=[dataset.pk]), {"post": "yes"})

    assert not Dataset.objects.exists()
    assert kinds(dataset) == ["dataset.created", "dataset.changed", "dataset.deleted"]


def test_a_slug_that_is_taken_is_reported_at_the_slug(market, manager):
    DatasetFactory(slug="zoo")
    answer = manager.post(reverse(ADD_DATASET), {"name": "Zoo", "slug": "zoo"})
    assert answer.context["form"].errors["slug"] == ["Another dataset has this slug."]


def test_a_dataset_with_works_is_not_deleted(market, manager):
    dataset = DatasetFactory()
    Asset.objects.update(dataset=dataset)
    manager.post(reverse("admin:catalog_dataset_delete", args=[dataset.pk]), {"post": "yes"})
    assert Dataset.objects.get() == dataset
    assert kinds(dataset) == []


def test_details_of_a_work_are_changed_through_the_service(market, manager):
    dataset = DatasetFactory()
    url = reverse("admin:catalog_asset_details", args=[market.asset.pk])
    sent = as_sent(manager.get(url).text) | {"title": ["Dawn"], "tags": ["sea, sand"], "dataset": [str(dataset.pk)]}

    assert manager.post(url, sent).url == page_url(market.asset)

    work = Asset.objects.get()
    assert (work.title, work.tags, work.dataset) == ("Dawn", ["sea", "sand"], dataset)
    assert kinds(work) == ["asset.registered", "asset.changed"]
    assert "asset.changed" in manager.get(page_url(work)).text


def test_a_work_changed_meanwhile_is_not_overwritten(market, manager):
    url = reverse("admin:catalog_asset_details", args=[market.asset.pk])
    sent = as_sent(manager.get(url).text) | {"tags": ["sea"]}
    change_asset(asset=market.asset, title="Dawn", tags=[], dataset=None, actor=ACTOR)

    answer = manager.post(url, sent)

    assert "The work was changed meanwhile." in answer.text
    assert (Asset.objects.get().title, Asset.objects.get().tags) == ("Dawn", [])


def test_an_auditor_changes_no_work(market, person):
    auditor: Client = person("Auditor")
    url = reverse("admin:catalog_asset_details", args=[market.asset.pk])
    assert (auditor.get(url).status_code, auditor.post(url).status_code) == (403, 403)
    assert url not in auditor.get(page_url(market.asset)).text


def test_an_upload_says_what_was_left_out_and_the_work_lists_it(market, manager):
    photo = encoded(noise(40, 30), "JPEG", exif=exif_with(artist="Ada", place="N")) + gain_map() + bytes(9)
    entered = {"creator": market.creator.pk, "title": "Photo", "file": SimpleUploadedFile("photo.jpg", photo)}

    page = manager.post(reverse("admin:catalog_asset_add"), entered, follow=True).content.decode()

    assert "The file also holds a gain map for bright screens and bytes behind the end" in page
    assert "bytes behind the end (9 B)" in page
    assert "author, EXIF, place (GPS)." in page


def test_a_work_of_before_says_how_to_learn_what_its_file_holds(market, manager):
    work = AssetFactory(creator=market.creator)

    assert "manage.py works measure" in manager.get(page_url(work)).content.decode()


def test_the_form_of_an_upload_tells_the_limits(manager):
    page = manager.get(reverse("admin:catalog_asset_add")).content.decode()

    assert "at most 20,000,000 pixels, no side longer than 16,384 or than 20 times the other" in page


def test_a_refused_picture_is_an_error_of_the_file(market, manager):
    thin = png_file(png_header(400_000, 8), png_chunk(b"IDAT", b""))
    entered = {"creator": market.creator.pk, "title": "Thin", "file": SimpleUploadedFile("thin.png", thin)}

    answer = manager.post(reverse("admin:catalog_asset_add"), entered)

    assert "no side may be longer than 16384 pixels" in answer.context["form"].errors["file"][0]
    assert not Asset.objects.filter(title="Thin").exists()


def test_an_erasure_says_that_files_stay_with_their_metadata(market, manager):
    named = encoded(noise(), "JPEG", exif=exif_with(artist="Ada"))
    make_asset(market.creator, named)

    page = manager.get(reverse("admin:catalog_creator_erase", args=[market.creator.pk])).content.decode()

    assert "1 file is known to name an author or a place." in page
