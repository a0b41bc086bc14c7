import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Model

from governance.catalog.choices import GrantKind, GrantMethod
from governance.catalog.models import Asset, ConsentGrant, Creator
from governance.kernel import clock
from tests.factories.catalog import AssetFactory, ConsentGrantFactory, CreatorFactory, DatasetFactory

pytestmark = pytest.mark.django_db


def refused_by(name: str) -> pytest.RaisesExc[IntegrityError]:
    """Expect PostgreSQL to refuse, and to say so by `name`."""
    return pytest.raises(IntegrityError, match=name)


def withdrawal(**changes: object) -> ConsentGrant:
    said = {"kind": GrantKind.WITHDRAWAL, "method": GrantMethod.CONSOLE, "epoch": 1}
    return ConsentGrant(**said | {"recorded_by_type": "user", "recorded_by_id": "1"} | changes)


@pytest.mark.parametrize("field", ["kind", "method", "epoch", "evidence_digest"])
def test_a_statement_cannot_be_edited(field: str) -> None:
    grant = ConsentGrantFactory()

    with refused_by("append-only"), transaction.atomic():
        ConsentGrant.objects.filter(id=grant.id).update(**{field: "2"})
    with refused_by("append-only"), transaction.atomic():
        grant.save()


def test_a_statement_cannot_be_removed() -> None:
    grant = ConsentGrantFactory()

    with refused_by("append-only"), transaction.atomic():
        grant.delete()
    with refused_by("append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE catalog_consentgrant CASCADE")
    assert ConsentGrant.objects.get() == grant


@pytest.mark.parametrize("field", ["sha256", "size", "object_name", "media_type", "width", "height"])
def test_what_an_asset_is_cannot_be_edited(field: str) -> None:
    asset = AssetFactory(metadata_kinds=[])

    with refused_by("append-only"), transaction.atomic():
        Asset.objects.filter(id=asset.id).update(**{field: "7"})


def test_an_asset_keeps_its_creator_and_stays_but_its_title_may_change() -> None:
    asset = AssetFactory()

    with refused_by("append-only"), transaction.atomic():
        Asset.objects.filter(id=asset.id).update(creator=CreatorFactory())
    with refused_by("append-only"), transaction.atomic():
        asset.delete()
    asset.title = "Another title"
    asset.save()
    assert Asset.objects.get().title == "Another title"


def test_a_statement_is_about_a_work_of_its_own_creator() -> None:
    with refused_by("consent_asset_of_creator"), transaction.atomic():
        withdrawal(creator=CreatorFactory(), asset=AssetFactory()).save()


def test_there_is_one_statement_about_the_default_in_an_epoch() -> None:
    creator = CreatorFactory()
    withdrawal(creator=creator).save()

    with refused_by("consent_statement_once_per_epoch"), transaction.atomic():
        withdrawal(creator=creator).save()


def test_a_grant_names_a_level_and_a_withdrawal_does_not() -> None:
    with refused_by("consent_grant_names_a_level"), transaction.atomic():
        withdrawal(creator=CreatorFactory(), kind=GrantKind.GRANT).save()


def test_a_window_ends_after_its_start() -> None:
    now = clock.now()

    with refused_by("consent_window_in_order"), transaction.atomic():
        withdrawal(creator=CreatorFactory(), valid_from=now, valid_until=now).save()


def test_an_epoch_never_goes_back() -> None:
    creator = CreatorFactory(consent_epoch=5)

    with refused_by("a consent epoch only grows"), transaction.atomic():
        Creator.objects.filter(id=creator.id).update(consent_epoch=4)
    Creator.objects.filter(id=creator.id).update(consent_epoch=6)


def test_a_form_read_before_a_change_of_consent_does_not_undo_it() -> None:
    creator = CreatorFactory()
    in_a_form = Creator.objects.get(id=creator.id)
    ConsentGrantFactory(creator=creator)

    in_a_form.display_name = "Another name"
    in_a_form.save()

    saved = Creator.objects.get(id=creator.id)
    assert (saved.display_name, saved.consent_epoch) == ("Another name", 1)


@pytest.mark.parametrize("region", ["de", "D", "D1"])
def test_a_creator_lives_in_a_region(region: str) -> None:
    with refused_by("creator_region_two_letters"), transaction.atomic():
        CreatorFactory(region=region)


@pytest.mark.parametrize(("field", "value"), [("size", 0), ("width", 0), ("height", 0)])
def test_sizes_are_positive(field: str, value: int) -> None:
    with refused_by("asset_sizes_positive"), transaction.atomic():
        AssetFactory(**{field: value})


def test_rows_are_called_by_what_people_know_them_by() -> None:
    grant = ConsentGrantFactory(creator__display_name="Ada", level__name="Research")
    named: list[tuple[Model, str]] = [
        (grant, "Grant Research by Ada"),
        (grant.level, "Research"),
        (grant.level_version, "Research, version 1"),
        (AssetFactory(title="Dunes"), "Dunes"),
        (DatasetFactory(name="Deserts"), "Deserts"),
    ]

    assert [str(row) for row, _ in named] == [name for _, name in named]
