"""Image moderation with the NudeNet 320n detector, whose weights ship inside the `nudenet` wheel.

Only the weights are used. The package's own preprocessing feeds the network blue and red exchanged when it is given
encoded bytes (the same face scores 0.72 instead of 0.81), reports one label per box, and needs OpenCV.
"""

import ast
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from governance.kernel.canonical import sha256_hex
from governance.workflows.types import LabelScore, ModerationScores
from inference_workers.errors import RuntimeFault
from inference_workers.images import MAX_OUTPUT_PIXELS, decode
from inference_workers.moderators.views import views

MODEL_SHA256: Final = "c15d8273adad2d0a92f014cc69ab2d6c311a06777a55545f2c4eb46f51911f0f"
"""Digest of 320n.onnx in nudenet 3.4.2."""
UNSAFE_LABELS: Final = frozenset(
    {
        "ANUS_EXPOSED",
        "BUTTOCKS_EXPOSED",
        "FEMALE_BREAST_EXPOSED",
        "FEMALE_GENITALIA_EXPOSED",
        "MALE_GENITALIA_EXPOSED",
    }
)
"""Nudity, out of the 18 labels of https://github.com/notAI-tech/NudeNet (README, "all_labels").

Faces, covered body parts, and bare feet, armpits, bellies and male chests are reported, but are not unsafe.
"""
REPORT_FLOOR: Final = 0.2
"""Labels below this confidence are not reported; NudeNet's own detector drops them too."""
INPUT_EDGE: Final = 320
BATCH: Final = 8
BOX_VALUES: Final = 4
"""Values per anchor before the class confidences: centre, width and height of the box (YOLOv8 output layout)."""


class NudeNetModerator:
    """Scores images for nudity. Safe to use from several threads; one instance holds about 12 MB of weights."""

    name = "nudenet-320n"

    def __init__(
        self,
        *,
        model: Path | None = None,
        expected_sha256: str = MODEL_SHA256,
        unsafe_labels: frozenset[str] = UNSAFE_LABELS,
        max_pixels: int = MAX_OUTPUT_PIXELS,
        threads: int = 1,
    ) -> None:
        """Load `model` (the wheel's by default). Raises RuntimeFault `moderator_unloadable` if it is not as expected.

        The default limit of `score` admits the largest output of a model runtime.
        """
        data = _read_model(model, expected_sha256)
        self.artifact_digest = expected_sha256
        self._unsafe_labels = unsafe_labels
        self._max_pixels = max_pixels
        self._session = _session(data, threads)
        self._input = self._session.get_inputs()[0].name
        self._labels = _labels(self._session)
        missing = sorted(unsafe_labels - set(self._labels))
        if missing:
            raise _unloadable(f"The moderation model does not know {', '.join(missing)}.")

    def score(self, image: bytes) -> ModerationScores:
        """Return how unsafe an encoded image looks.

        Raises RuntimeFault `image_unreadable`, `image_too_large` or `moderator_failed`.
        """
        looks = views(decode(image, max_pixels=self._max_pixels))
        batches = [looks[start : start + BATCH] for start in range(0, len(looks), BATCH)]
        confidences = np.concatenate([self._detect(batch) for batch in batches])
        return to_scores(confidences, labels=self._labels, unsafe_labels=self._unsafe_labels)

    def _detect(self, looks: list[Image.Image]) -> NDArray[np.float32]:
        """Return the class confidences of all anchors of all views: (anchors, labels)."""
        batch = np.stack([to_input(look) for look in looks])
        (output,) = self._session.run(None, {self._input: batch})
        anchors: NDArray[np.float32] = output[:, BOX_VALUES:, :].transpose(0, 2, 1)
        return anchors.reshape(-1, anchors.shape[-1])


def to_input(image: Image.Image) -> NDArray[np.float32]:
    """Return an RGB picture as the network wants it: (3, 320, 320) in [0, 1], scaled to fit, the rest black.

    The filter averages over all pixels, so that nothing can be hidden between the sampled ones.
    """
    ratio = INPUT_EDGE / max(image.size)
    width, height = (max(1, round(edge * ratio)) for edge in image.size)
    canvas = np.zeros((INPUT_EDGE, INPUT_EDGE, 3), dtype=np.float32)
    canvas[:height, :width] = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    return np.ascontiguousarray(canvas.transpose(2, 0, 1) / 255, dtype=np.float32)


def to_scores(
    confidences: NDArray[np.float32], *, labels: tuple[str, ...], unsafe_labels: Iterable[str]
) -> ModerationScores:
    """Return the verdict material for (anchors, labels) confidences: per label the best anchor, to four decimals.

    Suppressing overlapping boxes would not change a maximum, so boxes are not looked at. Raises RuntimeFault
    `moderator_failed` for a confidence that is no number: it would compare as neither safe nor unsafe.
    """
    if not np.isfinite(confidences).all():
        raise RuntimeFault("The moderation model gave a confidence that is not a number.", code="moderator_failed")
    best = {label: round(float(value), 4) for label, value in zip(labels, confidences.max(axis=0), strict=True)}
    seen = sorted((item for item in best.items() if item[1] >= REPORT_FLOOR), key=lambda item: (-item[1], item[0]))
    return ModerationScores(
        score=max(best[label] for label in unsafe_labels),
        labels=tuple(LabelScore(label, score) for label, score in seen),
    )


def _read_model(path: Path | None, expected_sha256: str) -> bytes:
    try:
        data = (path or _packaged_model()).read_bytes()
    except OSError as error:
        raise _unloadable("The moderation model cannot be read.") from error
    if sha256_hex(data) != expected_sha256:
        raise _unloadable("The moderation model is not the one that was reviewed.")
    return data


def _packaged_model() -> Path:
    # Found without importing the package, which would import OpenCV.
    spec = find_spec("nudenet")
    if spec is None or spec.origin is None:
        raise _unloadable("The nudenet package is not installed.")
    return Path(spec.origin).parent / "320n.onnx"


def _session(data: bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    available = onnxruntime.get_available_providers()
    providers = [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in available]
    return onnxruntime.InferenceSession(data, options, providers=providers)


def _labels(session: onnxruntime.InferenceSession) -> tuple[str, ...]:
    """Return the labels in the network's order, as its own metadata lists them."""
    metadata: Mapping[str, str] = session.get_modelmeta().custom_metadata_map
    names: dict[int, object] = ast.literal_eval(metadata["names"])
    return tuple(str(names[index]) for index in range(len(names)))


def _unloadable(message: str) -> RuntimeFault:
    return RuntimeFault(message, code="moderator_unloadable")
