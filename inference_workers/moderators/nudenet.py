"""Image moderation with the NudeNet 320n detector, whose weights ship inside the `nudenet` wheel.

Only the weights are used. The package's own preprocessing feeds the network blue and red exchanged when it is given
encoded bytes (the same face scores 0.72 instead of 0.81), reports one label per box, and needs OpenCV.
"""

import ast
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from governance.kernel.canonical import sha256_hex
from governance.pictures.decoding import decode, pixels_of
from governance.pictures.limits import MAX_OUTPUT_PIXELS, OUTPUT_LIMITS
from governance.workflows.ports import Heartbeat
from governance.workflows.types import LabelScore, ModerationScores
from inference_workers.capacity import Room, nobody
from inference_workers.errors import RuntimeFault
from inference_workers.moderators.agreement import (
    MOST_LOOKED_AT_AGAIN,
    Find,
    finds_in,
    has_detail,
    mirrored,
    other_looks,
)
from inference_workers.moderators.views import MAX_VIEWS, Pixels, Viewer, Window, view_count, windows

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
BATCH: Final = 4
BOX_VALUES: Final = 4
"""Values per anchor before the class confidences: centre, width and height of the box (YOLOv8 output layout)."""
MAX_THREADS: Final = 4


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the network sees in one view: the highest confidence of each label, and the places that look unsafe."""

    confidences: NDArray[np.float32]
    finds: list[Find]


class NudeNetModerator:
    """Scores images for nudity. Safe to use from several threads; one instance holds about 12 MB of weights.

    What looks unsafe in one view is looked at again (`agreement`), and the median of those looks counts: a texture that
    resembles skin at one scale and position does so at few others, and a person at nearly all.
    """

    name = "nudenet-320n"

    def __init__(
        self,
        *,
        model: Path | None = None,
        expected_sha256: str = MODEL_SHA256,
        unsafe_labels: frozenset[str] = UNSAFE_LABELS,
        max_pixels: int = MAX_OUTPUT_PIXELS,
        max_views: int = MAX_VIEWS,
        room: Room | None = None,
        threads: int | None = None,
    ) -> None:
        """Load `model` (the wheel's by default). Raises RuntimeFault `moderator_unloadable` if it is not as expected.

        The default limits of `score` admit the largest output of a model runtime. Pictures wait for their share of
        `room`, and are looked at by `threads` threads, as many as there are cores up to MAX_THREADS by default.
        """
        data = _read_model(model, expected_sha256)
        self.artifact_digest = expected_sha256
        self._unsafe_labels = unsafe_labels
        self._limits = replace(OUTPUT_LIMITS, max_pixels=max_pixels)
        self._max_views = max_views
        self._room = room or Room(max_pixels)
        self._threads = threads or min(MAX_THREADS, os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="nudenet")
        self._session = _session(data)
        self._input = self._session.get_inputs()[0].name
        self._labels = _labels(self._session)
        missing = sorted(unsafe_labels - set(self._labels))
        if missing:
            raise _unloadable(f"The moderation model does not know {', '.join(missing)}.")
        self._unsafe = [self._labels.index(label) for label in sorted(unsafe_labels)]

    def score(self, image: bytes, heartbeat: Heartbeat = nobody) -> ModerationScores:
        """Return how unsafe an encoded image looks. What `heartbeat` raises, called between batches, ends the work.

        Raises PictureRefused, or RuntimeFault `moderation_views_exceeded` or `moderator_failed`.
        """
        with self._room.hold(pixels_of(image, self._limits), heartbeat):
            picture = decode(image, self._limits, pulse=heartbeat).image
            heartbeat()
            self._check_budget(picture)
            viewer = Viewer(picture, edge=INPUT_EDGE)
            seen = self._look(viewer, picture.size, heartbeat)
            self._look_again([find for each in seen for find in each.finds], viewer, heartbeat)
        confidences = np.stack([self._agreed(each) for each in seen])
        return to_scores(confidences, labels=self._labels, unsafe_labels=self._unsafe_labels)

    def _check_budget(self, picture: Image.Image) -> None:
        needed = view_count(*picture.size, transparent=picture.mode.endswith("A"))
        if needed > self._max_views:
            raise RuntimeFault(
                f"Moderation would need {needed} views of the image; {self._max_views} are the most.",
                code="moderation_views_exceeded",
                details={"views": needed, "max_views": self._max_views},
            )

    def _look(self, viewer: Viewer, size: tuple[int, int], heartbeat: Heartbeat) -> list[_Seen]:
        """Look at every view once."""
        places: list[tuple[Window, int]] = []

        def views() -> Iterator[Pixels]:
            for window in windows(*size):
                for number, view in enumerate(viewer.views(window)):
                    places.append((window, number))
                    yield view

        seen = list(self._detected(views(), heartbeat))
        for (window, number), each in zip(places, seen, strict=True):
            for find in each.finds:
                find.window, find.number = window, number
        return seen

    def _look_again(self, finds: list[Find], viewer: Viewer, heartbeat: Heartbeat) -> None:
        """Look again at what looks unsafe, the worst first, until nothing unconfirmed is worse than what is confirmed.

        What lies beyond MOST_LOOKED_AT_AGAIN keeps its first confidence: that may deny too much, never too little.
        """
        confirmed = 0.0
        for find in sorted(finds, key=lambda find: -find.confidence)[:MOST_LOOKED_AT_AGAIN]:
            if find.confidence <= confirmed:
                break
            view = viewer.views(find.window)[find.number]
            find.confidence = self._median(find, view, viewer, heartbeat) if has_detail(view) else 0.0
            confirmed = max(confirmed, find.confidence)

    def _median(self, find: Find, view: Pixels, viewer: Viewer, heartbeat: Heartbeat) -> float:
        """Return the median of the first look at a place and the others, whatever unsafe label they find there."""
        looks = other_looks(view)
        if find.small:
            closer = [viewer.views(window) for window in find.closer_windows()]
            chosen = [views[min(find.number, len(views) - 1)] for views in closer]
            looks = [mirrored(view) if turn % 2 else view for turn, view in enumerate(chosen)]
        others = [float(each.confidences[self._unsafe].max()) for each in self._detected(iter(looks), heartbeat)]
        return float(np.median([find.confidence, *others]))

    def _agreed(self, seen: _Seen) -> NDArray[np.float32]:
        """Return the confidence of each label in a view. No unsafe one is surer than what was agreed on there."""
        if not seen.finds:
            return seen.confidences
        row = seen.confidences.copy()
        row[self._unsafe] = np.minimum(row[self._unsafe], max(find.confidence for find in seen.finds))
        for find in seen.finds:
            row[find.label] = np.maximum(row[find.label], find.confidence)
        return row

    def _detected(self, views: Iterator[Pixels], heartbeat: Heartbeat) -> Iterator[_Seen]:
        """Yield what is seen in each view. Views are made while others are looked at."""
        running: deque[Future[list[_Seen]]] = deque()
        while batch := list(islice(views, BATCH)):
            heartbeat()
            running.append(self._pool.submit(self._detect, batch))
            if len(running) > self._threads:
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()
            heartbeat()

    def _detect(self, views: list[Pixels]) -> list[_Seen]:
        batch = np.stack([on_canvas(view) for view in views])
        (output,) = self._session.run(None, {self._input: batch})
        return [
            _Seen(
                each[BOX_VALUES:].max(axis=1),
                finds_in(each[:BOX_VALUES], each[BOX_VALUES:], self._unsafe, INPUT_EDGE),
            )
            for each in output
        ]


def on_canvas(view: Pixels) -> NDArray[np.float32]:
    """Return a view of at most 320 by 320 pixels as the network wants it: in the upper left corner, the rest black."""
    canvas = np.zeros((INPUT_EDGE, INPUT_EDGE, 3), dtype=np.float32)
    canvas[: view.shape[0], : view.shape[1]] = view
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


def _session(data: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # threads that wait for each other stall on a busy machine
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
