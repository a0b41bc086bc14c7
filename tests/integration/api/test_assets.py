"""Works over HTTP: uploading, listing, looking."""

import hashlib

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from governance.audit.models import OutboxEntry
from governance.catalog.models import Asset
from governance.partners.models import Tier
from tests.factories.catalog import AssetFactory, CreatorFactory, DatasetFactory
from tests.factories.images import encoded, image_bytes, noise
from tests.factories.pictures import cicp, exif_with, gain_map, mp4, png_of


@pytest.fixture
def upload(api, market):
    def send(data: bytes | None = None, *, by=None, name: str = "work.png", **fields):
        file = SimpleUploadedFile(name, image_bytes(seed=1) if data is None else data)
        form = {"file": file, "creator": market.creator.slug, "title": "Dawn"} | fields
        return (by or api).post("/api/v1/assets", form)

    return send


def test_an_upload_is_registered_under_its_digest(upload, api, market):
    data = image_bytes(seed=7)
    answer = upload(data)
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/assets/{body['id']}"
    assert (body["sha256"], body["size"]) == (hashlib.sha256(data).hexdigest(), len(data))
    assert (body["creator"], body["title"], body["own"]) == ("ada", "Dawn", True)
    assert body["media_type"] == "image/png"
    assert api.get(answer.headers["Location"]).json() == body
    entry = OutboxEntry.objects.get(kind="asset.registered", subject_id=body["id"])
    assert (entry.actor_type, entry.actor_id) == ("client", market.client.client_id)
    asset = Asset.objects.get(id=body["id"])
    assert (asset.uploaded_by_type, asset.uploaded_by_id) == ("partner", str(market.partner.id))


def test_a_phone_photo_is_taken_with_its_first_picture_and_a_list_of_the_rest(upload, api):
    photo = encoded(noise(40, 30), "JPEG", exif=exif_with(orientation=6, artist="Ada", place="N"))
    behind, film = gain_map(), mp4()

    answer = upload(photo + behind + film + bytes(5), name="PXL_1.MP.jpg")

    body = answer.json()
    assert (answer.status_code, body["width"], body["height"]) == (201, 30, 40)
    assert body["left_out"] == [
        {"kind": "gain_map", "bytes": len(behind)},
        {"kind": "video", "bytes": len(film)},
        {"kind": "trailing_bytes", "bytes": 5},
    ]
    assert body["metadata"] == ["author", "exif", "place"]
    assert body["sha256"] == hashlib.sha256(photo + behind + film + bytes(5)).hexdigest()
    assert api.get(answer.headers["Location"]).json() == body


def test_a_partner_uploads_only_for_creators_who_named_it(upload, market):
    market.creator.uploaders = ["northlight"]
    market.creator.save()
    answer = upload()
    assert (answer.status_code, answer.json()["code"]) == (403, "upload_not_authorised")
    assert not Asset.objects.filter(uploaded_by_type="partner").exists()


def test_bytes_that_another_creator_has_are_answered_like_any_that_wait(upload, submit, api, settings):
    CreatorFactory(slug="bruno", uploaders=["lumen"])
    upload(image_bytes(seed=9))
    known = upload(image_bytes(seed=9), creator="bruno")
    settings.ASSENT_REVIEW_PERCENT = 100
    drawn = upload(image_bytes(seed=10), creator="bruno")

    own = {"id", "sha256", "size", "created_at"}
    told = [{name: value for name, value in answer.json().items() if name not in own} for answer in (known, drawn)]
    assert (known.status_code, drawn.status_code) == (201, 201)
    assert told[0] == told[1]
    assert told[0]["status"] == "in_review"
    assert {*known.headers} == {*drawn.headers}
    for answer in (known, drawn):
        denial = submit(inputs=[answer.json()["id"]])
        assert denial.json()["reasons"][0] == {
            "code": "asset_in_review",
            "message": "The work is waiting for review and cannot be used yet.",
        }
        assert api.get(f"{answer.headers['Location']}/receipt").status_code == 200


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"creator": "ghost"}, "creator", "does_not_exist"),
        ({"creator": "nul\x00"}, "creator", "invalid"),
        ({"title": ""}, "title", "blank"),
        ({"title": "x" * 201}, "title", "max_length"),
        ({"title": "nul\x00"}, "title", "null_characters_not_allowed"),
        ({"dataset": "ghost"}, "dataset", "does_not_exist"),
        ({"licence": "mine"}, "licence", "unknown"),
    ],
)
def test_each_bad_field_of_the_form_is_named(upload, fields, field, code):
    answer = upload(**fields)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]


def test_the_file_must_be_there(api, market):
    answer = api.post("/api/v1/assets", {"creator": market.creator.slug, "title": "Dawn"})
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("file", "required")]


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"no image at all", 415, "media_type_unsupported"),
        (b"%PDF-1.7\n", 415, "media_type_unsupported"),
        (image_bytes(seed=1)[:60], 400, "media_undecodable"),
    ],
    ids=["text", "pdf", "cut off"],
)
def test_only_images_are_accepted(upload, data, status, code):
    answer = upload(data)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("again", [{"title": ["Dawn", "Dusk"]}, {"creator": ["ada", "bruno"]}])
def test_a_field_of_the_form_that_is_sent_twice_is_refused(upload, again):
    answer = upload(**again)
    assert (answer.status_code, answer.json()["code"]) == (400, "body_malformed")
    assert [error["field"] for error in answer.json()["errors"]] == [*again]


def test_an_empty_file_is_refused(upload):
    answer = upload(b"")
    assert answer.status_code == 400


def test_a_file_over_the_limit_is_refused(upload, settings):
    settings.ASSENT_MAX_UPLOAD_BYTES = 100
    answer = upload()
    assert (answer.status_code, answer.json()["code"]) == (413, "upload_too_large")


def test_a_body_over_the_limit_is_refused_unread(upload, settings):
    settings.ASSENT_MAX_UPLOAD_BYTES = 100
    answer = upload(b"x" * 200_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_an_image_of_too_many_pixels_is_refused(upload, settings):
    settings.ASSENT_MAX_PIXELS = 10
    answer = upload()
    assert (answer.status_code, answer.json()["code"]) == (413, "image_too_large")


@pytest.mark.parametrize(
    ("setting", "allowed", "code", "status", "found"),
    [
        ("ASSENT_MAX_EDGE", 31, "image_too_large", 413, 32),
        ("ASSENT_MAX_ASPECT_RATIO", 1, "image_too_narrow", 400, 2),
        ("ASSENT_MAX_IMAGE_PARTS", 2, "image_too_complex", 400, 3),
    ],
)
def test_a_limit_is_told_with_what_was_found(upload, settings, setting, allowed, code, status, found):
    setattr(settings, setting, allowed)
    limit = {"MAX_IMAGE_PARTS": "max_parts", "MAX_ASPECT_RATIO": "max_ratio", "MAX_EDGE": "max_edge"}

    answer = upload()

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["details"] == {
        "limit": limit[setting.removeprefix("ASSENT_")],
        "allowed": allowed,
        "found": found,
    }
    assert [error["field"] for error in answer.json()["errors"]] == ["file"]


@pytest.mark.parametrize(
    ("limit", "code"),
    [
        ({"max_image_edge": 31}, "image_too_large"),
        ({"max_image_pixels": 767}, "image_too_large"),
        ({"max_image_ratio": 1}, "image_too_narrow"),
        ({"max_image_parts": 3}, None),
        ({"max_image_edge": 10**9}, None),
    ],
)
def test_a_tier_narrows_what_its_partners_may_upload(upload, market, limit, code):
    Tier.objects.filter(partners=market.partner).update(**limit)

    answer = upload()

    assert answer.json().get("code") == code


def test_a_tier_never_allows_more_than_the_settings(upload, market, settings):
    settings.ASSENT_MAX_EDGE = 20
    Tier.objects.filter(partners=market.partner).update(max_image_edge=100)

    assert upload().json()["details"] == {"limit": "max_edge", "allowed": 20, "found": 32}


def test_colours_that_cannot_be_shown_are_refused_with_the_reason(upload):
    answer = upload(png_of(np.zeros((8, 8, 3)), cicp(9, 16)))

    assert (answer.status_code, answer.json()["code"]) == (400, "image_colours_unusable")
    assert "high dynamic range (PQ)" in answer.json()["detail"]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "image/png", ""])
def test_an_upload_is_multipart(api, content_type):
    answer = api.post("/api/v1/assets", b"{}", content_type=content_type)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("boundary", ["", "; boundary=", "; boundary=" + "x" * 300, "; boundary=ä"])
def test_a_multipart_body_without_a_sound_boundary_is_refused(api, boundary):
    answer = api.post("/api/v1/assets", b"--x\r\n\r\n", content_type=f"multipart/form-data{boundary}")
    assert answer.status_code == 400


def test_a_token_for_a_dataset_takes_in_works_of_that_dataset_only(upload, market, caller):
    dataset = DatasetFactory.create(slug="zoo")
    narrow = caller(market.client, datasets=frozenset({"zoo"}))
    refused = upload(by=narrow)
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    taken = upload(by=narrow, dataset=dataset.slug)
    assert (taken.status_code, taken.json()["dataset"]) == (201, "zoo")
    assert [work["id"] for work in narrow.get("/api/v1/assets").json()["results"]] == [taken.json()["id"]]


def test_partners_see_the_catalogue_and_their_own_uploads(upload, api, stranger, market):
    mine = upload().json()["id"]

    def seen(by):
        return {work["id"]: work["own"] for work in by.get("/api/v1/assets").json()["results"]}

    assert seen(api) == {mine: True, str(market.asset.id): False}
    assert seen(stranger) == {str(market.asset.id): False}
    assert stranger.get(f"/api/v1/assets/{mine}").status_code == 404


def test_works_are_filtered(api, market):
    dataset = DatasetFactory.create(slug="zoo")
    tagged = AssetFactory.create(tags=["cat", "sofa"], dataset=dataset, media_type="image/webp", status="quarantined")

    def ids(query: str) -> list[str]:
        return [work["id"] for work in api.get(f"/api/v1/assets?{query}").json()["results"]]

    assert ids("tag=cat") == ids("dataset=zoo") == ids("media_type=image/webp") == [str(tagged.id)]
    assert ids("status=quarantined") == ids(f"creator={tagged.creator.slug}") == [str(tagged.id)]
    assert ids("creator=ada") == [str(market.asset.id)]
    assert ids("tag=ca") == []
