"""What receipts of uploads and of consent say, and that nothing personal is in them."""

import io
import json
from typing import Any

import pytest

from governance.audit.models import Receipt
from governance.audit.types import SubjectRef
from governance.catalog import services, works
from governance.catalog.models import Asset, Creator
from governance.catalog.types import IncomingFile
from governance.kernel.canonical import digest
from tests.factories.catalog import ACTOR, AssetFactory, ConsentLevelFactory, CreatorFactory
from tests.factories.images import image_bytes
from tests.receipts import statement_in

pytestmark = pytest.mark.django_db
PERSONAL = {"slug": "ada-lovelace", "display_name": "Ada Lovelace", "email": "ada@example.com"}


def receipted(kind: str) -> tuple[Receipt, dict[str, Any]]:
    """Return the one receipt of a kind of entry, and its statement."""
    receipt = Receipt.objects.get(kind=kind)
    return receipt, statement_in(receipt)


def grant(creator: Creator) -> None:
    services.record_grant(
        creator=creator,
        asset=None,
        method="signed_form",
        actor=ACTOR,
        level=ConsentLevelFactory(),
        regions=["EU"],
        partners_allowed=[],
        partners_excluded=[],
        valid_from=None,
        valid_until=None,
    )


def upload(creator: Creator) -> Asset:
    return works.register_asset(
        creator=creator,
        title="Self-portrait of Ada",
        file=IncomingFile(io.BytesIO(image_bytes()), "ada.png"),
        uploaded_by=SubjectRef("partner", "42"),
        dataset=None,
        actor=ACTOR,
    )


@pytest.mark.usefixtures("object_root")
def test_an_upload_has_a_receipt_of_the_file() -> None:
    creator = CreatorFactory(**PERSONAL)

    asset = upload(creator)

    receipt, statement = receipted("asset.registered")
    assert (receipt.subject_type, receipt.subject_id) == ("asset", str(asset.id))
    assert statement["predicateType"] == "https://assent.dev/predicates/upload/v1"
    assert statement["subject"] == [{"name": "upload", "digest": {"sha256": asset.sha256}}]
    assert statement["predicate"]["creator"] == str(creator.id)
    assert statement["predicate"]["uploaded_by"] == "partner:42"


def test_consent_given_has_a_receipt_of_its_terms() -> None:
    creator = CreatorFactory(**PERSONAL)

    grant(creator)

    receipt, statement = receipted("consent.granted")
    predicate = statement["predicate"]
    assert (receipt.subject_type, receipt.subject_id) == ("creator", str(creator.id))
    assert statement["predicateType"] == "https://assent.dev/predicates/consent-change/v1"
    assert statement["subject"] == [{"name": "terms", "digest": {"sha256": digest(predicate["terms"])}}]
    assert (predicate["change"], predicate["creator"]) == ("granted", str(creator.id))
    assert predicate["terms"]["regions"] == ["EU"]


def test_consent_taken_back_has_a_receipt() -> None:
    asset = AssetFactory(creator=CreatorFactory(**PERSONAL))

    services.record_withdrawal(creator=asset.creator, asset=None, everything=True, method="email", actor=ACTOR)

    _, statement = receipted("consent.withdrawn")
    assert statement["predicate"]["change"] == "withdrawn"
    assert statement["predicate"]["terms"]["everything"] is True


@pytest.mark.usefixtures("object_root")
def test_nothing_personal_is_in_a_receipt() -> None:
    creator = CreatorFactory(**PERSONAL)
    upload(creator)
    grant(creator)
    services.record_withdrawal(creator=creator, asset=None, everything=False, method="email", actor=ACTOR)

    said = json.dumps([statement_in(receipt) for receipt in Receipt.objects.all()])
    assert Receipt.objects.count() == 3
    assert not [value for value in (*PERSONAL.values(), "Ada", "portrait") if value in said]
