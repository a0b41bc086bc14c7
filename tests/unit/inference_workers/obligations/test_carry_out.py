import io
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from governance.engines.types import Obligation
from governance.kernel.canonical import canonical_json, sha256_hex
from governance.pictures.encoding import encode_png
from governance.pictures.errors import PictureRefused
from governance.workflows.types import Provenance
from inference_workers.errors import ObligationUnsupported
from inference_workers.obligations import HANDLERS
from inference_workers.obligations.carry_out import apply_obligations
from inference_workers.obligations.embed_provenance import PROVENANCE_KEYWORD
from tests.factories.images import decoded

ORIGIN = Provenance(
    job_id="01900000-0000-7000-8000-000000000001",
    decision_id="01900000-0000-7000-8000-000000000002",
    permit_id="01900000-0000-7000-8000-000000000003",
    model="espcn-x2",
    model_version="1.0.0",
    artifact_sha256="ab" * 32,
    client_id="client-7",
)
PROVENANCE = Obligation("embed_provenance", {})
ATTRIBUTION = Obligation("attribution", {"text": "© Ada Lovelace"})


def picture(width: int = 40, height: int = 20, mode: str = "RGB") -> bytes:
    return encode_png(Image.new(mode, (width, height), "white"))


def limit(max_edge: int) -> Obligation:
    return Obligation("limit_resolution", {"max_edge": max_edge})


def text_of(image: bytes) -> dict[str, str]:
    with Image.open(io.BytesIO(image)) as opened:
        assert isinstance(opened, PngImagePlugin.PngImageFile)
        return {keyword: str(value) for keyword, value in opened.text.items()}


def test_the_kinds_that_are_carried_out() -> None:
    assert set(HANDLERS.names) == {"embed_provenance", "limit_resolution", "attribution"}


@pytest.mark.parametrize(("image_format", "media_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
def test_without_obligations_the_bytes_stay(image_format: str, media_type: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (3, 3)).save(out, image_format)
    result = apply_obligations(out.getvalue(), [], ORIGIN)
    assert (result.image, result.media_type, result.applied) == (out.getvalue(), media_type, ())


def test_provenance_is_canonical_json_of_machine_ids() -> None:
    result = apply_obligations(picture(), [PROVENANCE], ORIGIN)
    payload = text_of(result.image)[PROVENANCE_KEYWORD]
    assert json.loads(payload) == {
        "format": 1,
        "job_id": "01900000-0000-7000-8000-000000000001",
        "decision_id": "01900000-0000-7000-8000-000000000002",
        "permit_id": "01900000-0000-7000-8000-000000000003",
        "model": "espcn-x2",
        "model_version": "1.0.0",
        "artifact_sha256": "ab" * 32,
        "client_id": "client-7",
    }
    assert payload.encode() == canonical_json(json.loads(payload))
    assert result.applied[0]["outcome"] == {"keyword": PROVENANCE_KEYWORD, "sha256": sha256_hex(payload.encode())}
    assert b"iTXtassent:provenance\x00" in result.image


def test_attribution_is_written_for_viewers() -> None:
    result = apply_obligations(picture(), [ATTRIBUTION], ORIGIN)
    assert text_of(result.image) == {"Attribution": "© Ada Lovelace"}


def test_plain_attribution_is_a_plain_text_chunk() -> None:
    result = apply_obligations(picture(), [Obligation("attribution", {"text": "Ada"})], ORIGIN)
    assert b"tEXtAttribution\x00Ada" in result.image


def test_pixels_come_first_and_metadata_survives() -> None:
    result = apply_obligations(picture(), [PROVENANCE, ATTRIBUTION, limit(10)], ORIGIN)
    assert [item["kind"] for item in result.applied] == ["limit_resolution", "embed_provenance", "attribution"]
    assert decoded(result.image).size == (10, 5)
    assert set(text_of(result.image)) == {PROVENANCE_KEYWORD, "Attribution"}
    assert result.media_type == "image/png"


def test_carried_out_obligations_are_returned_with_their_parameters() -> None:
    result = apply_obligations(picture(), [limit(10)], ORIGIN)
    assert result.applied == (
        {"kind": "limit_resolution", "parameters": {"max_edge": 10}, "outcome": {"width": 10, "height": 5}},
    )


def test_the_strictest_limit_wins() -> None:
    assert decoded(apply_obligations(picture(), [limit(30), limit(8), limit(20)], ORIGIN).image).size == (8, 4)


def test_equal_obligations_are_carried_out_once() -> None:
    result = apply_obligations(picture(), [ATTRIBUTION, PROVENANCE, ATTRIBUTION], ORIGIN)
    assert [item["kind"] for item in result.applied] == ["attribution", "embed_provenance"]


@given(
    width=st.integers(1, 60),
    height=st.integers(1, 60),
    max_edge=st.integers(1, 80),
    mode=st.sampled_from(["L", "LA", "RGB", "RGBA"]),
)
def test_a_limited_picture_keeps_within_the_limit_and_is_never_enlarged(
    width: int, height: int, max_edge: int, mode: str
) -> None:
    limited = decoded(apply_obligations(picture(width, height, mode), [limit(max_edge)], ORIGIN).image)
    assert max(limited.size) == min(max_edge, max(width, height))
    assert (limited.width <= width, limited.height <= height, limited.mode) == (True, True, mode)


@given(seed=st.integers(0, 1000))
def test_metadata_leaves_every_pixel_alone_and_the_result_is_deterministic(seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    first, second = (
        apply_obligations(encode_png(Image.fromarray(pixels)), [PROVENANCE, ATTRIBUTION], ORIGIN) for _ in range(2)
    )
    assert first == second
    assert np.array_equal(np.asarray(decoded(first.image)), pixels)


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("shred_original", {}),
        ("limit_resolution", {}),
        ("limit_resolution", {"max_edge": 0}),
        ("limit_resolution", {"max_edge": "512"}),
        ("limit_resolution", {"max_edge": 5.5}),
        ("limit_resolution", {"max_edge": True}),
        ("limit_resolution", {"max_edge": 512, "filter": "box"}),
        ("attribution", {}),
        ("attribution", {"text": ""}),
        ("attribution", {"text": "  "}),
        ("attribution", {"text": "a\x00b"}),
        ("attribution", {"text": "a\nb"}),
        ("attribution", {"text": "a" * 501}),
        ("attribution", {"text": 5}),
        ("embed_provenance", {"level": "full"}),
    ],
)
def test_what_is_not_understood_is_refused_before_anything_is_done(kind: str, parameters: dict[str, Any]) -> None:
    """The image is not even decoded: these bytes are none."""
    with pytest.raises(ObligationUnsupported) as raised:
        apply_obligations(b"no image", [PROVENANCE, Obligation(kind, parameters)], ORIGIN)
    assert (raised.value.error_code, raised.value.details) == ("obligation_unsupported", {"kind": kind})


def test_an_unreadable_image_is_refused() -> None:
    with pytest.raises(PictureRefused):
        apply_obligations(b"no image", [PROVENANCE], ORIGIN)
