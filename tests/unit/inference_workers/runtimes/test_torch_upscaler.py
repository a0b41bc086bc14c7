import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save

from governance.demo import samples
from governance.kernel.errors import Forbidden
from governance.pictures.encoding import encode_png
from governance.pictures.errors import PictureRefused
from governance.pictures.limits import OUTPUT_LIMITS
from governance.workflows.types import RuntimeResult
from inference_workers.errors import RuntimeFault
from inference_workers.runtimes.espcn import Espcn, EspcnConfig
from inference_workers.runtimes.torch_upscaler import TorchUpscaler
from tests.effort import examples
from tests.factories.images import decoded

JOB = UUID("01900000-0000-7000-8000-000000000001")
WEIGHTS = Path(samples.__file__).parent / "weights" / "espcn_x2.safetensors"
CARD = json.loads(WEIGHTS.with_suffix(".json").read_text())
CONFIG = CARD["config"]
GAINS_ASKED_DB = 0.5


class Refused(Forbidden):
    code = "permit_replayed"


class Permits:
    """Grants every permit and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def __call__(self, **asked: Any) -> object:
        self.asked.append(asked)
        return "permit"


def refuse(**_: Any) -> object:
    raise Refused("This permit was used before.")


def nothing() -> None:
    """A heartbeat that nobody listens to."""


def run(
    runtime: TorchUpscaler,
    image: bytes,
    *,
    artifact: Path = WEIGHTS,
    config: dict[str, Any] = CONFIG,
    heartbeat: Callable[[], None] = nothing,
) -> RuntimeResult:
    return runtime.run(
        permit_envelope="envelope", job_id=JOB, artifact=artifact, config=config, image=image, heartbeat=heartbeat
    )


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    channels = len(Image.new(mode, (1, 1)).getbands())
    values = np.random.default_rng(width * 100 + height).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return Image.fromarray(values.squeeze(axis=2) if channels == 1 else values)


@pytest.fixture(scope="module")
def runtime() -> TorchUpscaler:
    return TorchUpscaler(redeem=Permits())


@pytest.mark.parametrize("name", samples.names())
def test_the_shipped_weights_beat_bicubic_on_photos_they_never_saw(runtime: TorchUpscaler, name: str) -> None:
    photo, small = samples.photo_png(name), samples.low_resolution_png(name)
    gain = samples.psnr(run(runtime, small).image, photo) - samples.psnr(samples.bicubic_png(small), photo)
    claimed = next(entry["gain_db"] for entry in CARD["hold_out"]["photos"] if entry["name"] == name)
    assert gain >= GAINS_ASKED_DB
    assert gain == pytest.approx(claimed, abs=0.02)


def test_no_hold_out_photo_was_trained_on() -> None:
    held_out = {entry["sha256"] for entry in CARD["hold_out"]["photos"]}
    trained_on = {entry["sha256"] for entry in CARD["training"]["photos"]}
    installed = {
        hashlib.sha256(samples.packaged_file(photo.package, photo.path)).hexdigest() for photo in samples.HOLD_OUT
    }
    assert held_out == installed
    assert not held_out & trained_on


def test_the_card_describes_the_shipped_weights() -> None:
    data = WEIGHTS.read_bytes()
    assert (CARD["sha256"], CARD["bytes"]) == (hashlib.sha256(data).hexdigest(), len(data))
    assert len(data) <= 1_000_000


def test_the_permit_is_redeemed_for_the_bytes_that_are_used(tmp_path: Path) -> None:
    permits, image = Permits(), encode_png(noise(4, 3))
    artifact = tmp_path / "weights"
    artifact.write_bytes(WEIGHTS.read_bytes())
    run(TorchUpscaler(redeem=permits), image, artifact=artifact)
    assert permits.asked == [
        {
            "envelope": "envelope",
            "job_id": JOB,
            "input_digest": hashlib.sha256(image).hexdigest(),
            "artifact_digest": hashlib.sha256(WEIGHTS.read_bytes()).hexdigest(),
        }
    ]


def test_a_model_at_hand_still_needs_a_permit_for_the_file_as_it_is_now(tmp_path: Path) -> None:
    permits, image = Permits(), encode_png(noise(4, 3))
    runtime = TorchUpscaler(redeem=permits)
    artifact = tmp_path / "weights"
    artifact.write_bytes(WEIGHTS.read_bytes())
    run(runtime, image, artifact=artifact)
    artifact.write_bytes(WEIGHTS.read_bytes() + b"x")
    with pytest.raises(RuntimeFault, match="safetensors"):
        run(runtime, image, artifact=artifact)
    assert permits.asked[0]["artifact_digest"] != permits.asked[1]["artifact_digest"]


@pytest.mark.parametrize(
    ("image", "artifact"), [(encode_png(noise(4, 3)), WEIGHTS), (b"no image", Path(samples.__file__))]
)
def test_without_a_permit_nothing_is_decoded_loaded_or_computed(image: bytes, artifact: Path) -> None:
    beats: list[None] = []
    with pytest.raises(Refused) as raised:
        run(TorchUpscaler(redeem=refuse), image, artifact=artifact, heartbeat=lambda: beats.append(None))
    assert raised.value.error_code == "permit_replayed"
    assert beats == []


def test_a_redeemer_that_returns_nothing_grants_nothing() -> None:
    with pytest.raises(RuntimeFault) as raised:
        run(TorchUpscaler(redeem=lambda **_: None), encode_png(noise(4, 3)))
    assert raised.value.error_code == "permit_missing"


def test_a_network_of_another_shape_is_refused(runtime: TorchUpscaler) -> None:
    with pytest.raises(RuntimeFault) as raised:
        run(runtime, encode_png(noise(4, 3)), config=CONFIG | {"features": 7})
    assert raised.value.error_code == "artifact_unloadable"


def test_an_unreadable_image_is_refused(runtime: TorchUpscaler) -> None:
    with pytest.raises(PictureRefused) as raised:
        run(runtime, b"no image")
    assert raised.value.error_code == "media_type_unsupported"


def test_an_image_past_the_limit_is_refused() -> None:
    with pytest.raises(PictureRefused) as raised:
        run(TorchUpscaler(redeem=Permits(), limits=OUTPUT_LIMITS.narrowed(max_pixels=11)), encode_png(noise(4, 3)))
    assert raised.value.error_code == "image_too_large"


def beats_with(tile_edge: int) -> int:
    """Return how often a run of a picture of 20 × 9 pixels calls the heartbeat."""
    beats: list[None] = []
    runtime = TorchUpscaler(redeem=Permits(), tile_edge=tile_edge)
    run(runtime, encode_png(noise(20, 9)), heartbeat=lambda: beats.append(None))
    return len(beats)


def test_the_heartbeat_is_called_before_every_tile() -> None:
    assert beats_with(8) - beats_with(64) == 3 * 2 - 1


def test_what_the_heartbeat_raises_ends_the_run(runtime: TorchUpscaler) -> None:
    def lose_the_lease() -> None:
        raise Refused("Another worker has this job.")

    with pytest.raises(Refused, match="Another worker"):
        run(runtime, encode_png(noise(4, 3)), heartbeat=lose_the_lease)


@settings(max_examples=examples(25))
@given(width=st.integers(1, 33), height=st.integers(1, 33), edge=st.integers(1, 20))
def test_tiling_changes_nothing(width: int, height: int, edge: int) -> None:
    """One level of 255 is granted: convolutions of other sizes may add their products in another order."""
    image = encode_png(noise(width, height))
    whole = decoded(run(TorchUpscaler(redeem=Permits(), tile_edge=64), image).image)
    tiled = decoded(run(TorchUpscaler(redeem=Permits(), tile_edge=edge), image).image)
    assert whole.size == tiled.size == (2 * width, 2 * height)
    assert np.abs(np.asarray(whole, int) - np.asarray(tiled, int)).max() <= 1


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (13, 5)])
def test_every_mode_and_size_is_enlarged_by_two(runtime: TorchUpscaler, mode: str, size: tuple[int, int]) -> None:
    result = run(runtime, encode_png(noise(*size, mode)))
    image = decoded(result.image)
    assert (image.mode, image.size) == (mode, (2 * size[0], 2 * size[1]))
    assert (result.width, result.height, result.media_type) == (*image.size, "image/png")


def test_a_flat_picture_stays_flat(runtime: TorchUpscaler) -> None:
    grey = decoded(run(runtime, encode_png(Image.new("L", (9, 9), 128))).image)
    assert np.abs(np.asarray(grey, int) - 128).max() <= 2


def test_transparency_is_enlarged_with_the_picture(runtime: TorchUpscaler) -> None:
    picture = Image.new("RGBA", (8, 8), (200, 10, 10, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 4, 8))
    alpha = np.asarray(decoded(run(runtime, encode_png(picture)).image))[..., 3]
    assert (alpha[:, :4].max(), alpha[:, 12:].min()) == (0, 255)


def test_colours_that_nobody_sees_have_no_part_in_the_result(runtime: TorchUpscaler) -> None:
    hidden = np.zeros((16, 16, 4), np.uint8)
    hidden[..., 0] = hidden[..., 2] = 255
    hidden[4:12, 4:12] = (20, 200, 40, 255)
    shown = np.asarray(decoded(run(runtime, encode_png(Image.fromarray(hidden))).image)).astype(int)
    on_white = (shown[..., :3] * shown[..., 3:] + 255 * (255 - shown[..., 3:])) // 255

    assert (shown[shown[..., 3] == 0] == 0).all()
    assert on_white[..., 1].min() >= 180


def test_a_palette_picture_equals_its_colours(runtime: TorchUpscaler) -> None:
    palette = noise(12, 8).quantize(8)
    out = io.BytesIO()
    palette.save(out, "PNG")
    assert run(runtime, out.getvalue()).image == run(runtime, encode_png(palette.convert("RGB"))).image


def test_a_turned_photo_comes_out_upright(runtime: TorchUpscaler) -> None:
    exif, out = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    picture = noise(10, 6)
    picture.save(out, "PNG", exif=exif)
    upright = encode_png(picture.transpose(Image.Transpose.ROTATE_270))
    assert run(runtime, out.getvalue()).image == run(runtime, upright).image


def test_the_same_input_gives_the_same_bytes(runtime: TorchUpscaler) -> None:
    image = samples.low_resolution_png("rocket")
    assert run(runtime, image).image == run(TorchUpscaler(redeem=Permits()), image).image


def test_the_result_says_where_it_was_computed(runtime: TorchUpscaler) -> None:
    result = run(runtime, encode_png(noise(4, 3)))
    assert result.device in {"cpu", "cuda"}
    assert result.duration_ms >= 0


def test_other_scales_are_computed_too(tmp_path: Path) -> None:
    artifact = tmp_path / "x3"
    artifact.write_bytes(save(Espcn(EspcnConfig(scale=3, features=4, layers=1)).state_dict()))
    config = {"architecture": "espcn", "scale": 3, "features": 4, "layers": 1}
    result = run(TorchUpscaler(redeem=Permits()), encode_png(noise(5, 4)), artifact=artifact, config=config)
    assert (result.width, result.height) == (15, 12)
