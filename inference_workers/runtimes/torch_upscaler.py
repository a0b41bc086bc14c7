"""The model runtime for super-resolution networks on PyTorch, on CUDA when there is one and on the CPU otherwise."""

import os
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias
from uuid import UUID

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from governance.kernel.canonical import sha256_hex
from governance.pictures.decoding import decode, pixels_of
from governance.pictures.encoding import PNG_MEDIA_TYPE, encode_png
from governance.pictures.limits import MAX_OUTPUT_PIXELS, OUTPUT_LIMITS, Limits
from governance.workflows.ports import Heartbeat
from governance.workflows.types import RuntimeResult
from inference_workers.capacity import Room
from inference_workers.errors import RuntimeFault
from inference_workers.runtimes import Redeem
from inference_workers.runtimes.espcn import Espcn, EspcnConfig
from inference_workers.runtimes.tiling import Tile, tiles
from inference_workers.runtimes.transparency import colours_of, like
from inference_workers.runtimes.weights import NetworkCache, load_network, parse_config, read_artifact

Pixels: TypeAlias = NDArray[np.uint8]

AUTO: Final = "auto"
"""The device setting for CUDA when there is one and the CPU otherwise."""
CACHED_MODELS: Final = 4
MAX_THREADS: Final = 4
"""Tiles that are computed at a time; each holds some tens of megabytes."""


@dataclass(frozen=True, slots=True)
class _Work:
    """The bytes that were hashed for the permit: nothing else is computed on."""

    artifact: bytes
    artifact_digest: str
    config: Mapping[str, object]
    image: bytes


class TorchUpscaler:
    """Enlarges images with a registered network, and only under a permit for exactly that image and that artifact.

    `redeem` is asked before anything is decoded or loaded, with digests of the bytes that are then used. Pictures are
    computed in tiles of `tile_edge` low-resolution pixels; the result does not depend on the tiling.
    """

    def __init__(
        self,
        *,
        redeem: Redeem,
        device: str = AUTO,
        tile_edge: int = 256,
        limits: Limits = OUTPUT_LIMITS,
        max_output_pixels: int = MAX_OUTPUT_PIXELS,
        room: Room | None = None,
        threads: int | None = None,
    ) -> None:
        self._redeem = redeem
        self._tile_edge = tile_edge
        self._limits = limits
        self._max_output_pixels = max_output_pixels
        self._room = room or Room(max_output_pixels)
        self._networks = NetworkCache(size=CACHED_MODELS)
        self._device = _device(device)
        self._threads = threads or _default_threads()
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="upscaler")
        torch.set_num_threads(1)  # each tile has a thread: threads of one tile that wait for each other stall
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = False, True
        torch.backends.cudnn.allow_tf32 = False

    def run(
        self,
        *,
        permit_envelope: str,
        job_id: UUID,
        artifact: Path,
        config: Mapping[str, object],
        image: bytes,
        heartbeat: Heartbeat,
    ) -> RuntimeResult:
        """Return the enlarged `image` as PNG. What `heartbeat` raises ends the run.

        It is called before each tile and for each piece of the file that is decoded or encoded. A picture waits for the
        share of its output in `room`.
        Raises PermitInvalid (from `redeem`), PictureRefused, or RuntimeFault with code `permit_missing`,
        `artifact_unloadable` or `model_config_invalid`.
        """
        started = time.perf_counter()
        weights = read_artifact(artifact)
        work = _Work(artifact=weights, artifact_digest=sha256_hex(weights), config=config, image=image)
        permit = self._redeem(
            envelope=permit_envelope,
            job_id=job_id,
            input_digest=sha256_hex(work.image),
            artifact_digest=work.artifact_digest,
        )
        if permit is None:
            raise RuntimeFault("The runtime computes nothing without a permit.", code="permit_missing")
        parsed = parse_config(work.config)
        with self._room.hold(pixels_of(work.image, self._limits) * parsed.scale**2, heartbeat):
            enlarged = self._compute(work, parsed, heartbeat)
            encoded = encode_png(enlarged, pulse=heartbeat)
        return RuntimeResult(
            image=encoded,
            media_type=PNG_MEDIA_TYPE,
            width=enlarged.width,
            height=enlarged.height,
            device=self._device.type,
            duration_ms=round((time.perf_counter() - started) * 1000),
        )

    def _compute(self, work: _Work, config: EspcnConfig, heartbeat: Heartbeat) -> Image.Image:
        network = self._networks.get(work.artifact_digest, config, lambda: self._load(work.artifact, config))
        limits = self._limits.narrowed(max_pixels=self._max_output_pixels // config.scale**2)
        source = decode(work.image, limits, pulse=heartbeat).image
        colours = self._enlarge(network, colours_of(source), heartbeat)
        return like(source, colours, heartbeat)

    def _load(self, artifact: bytes, config: EspcnConfig) -> Espcn:
        return load_network(artifact=artifact, config=config, device=self._device)

    def _enlarge(self, network: Espcn, pixels: Pixels, heartbeat: Heartbeat) -> Pixels:
        height, width = pixels.shape[:2]
        radius, scale = network.config.radius, network.config.scale
        padded = np.pad(pixels, ((radius, radius), (radius, radius), (0, 0)), mode="edge")
        enlarged = np.empty((height * scale, width * scale, 3), dtype=np.uint8)
        running: deque[tuple[Tile, Future[Pixels]]] = deque()

        def put_oldest() -> None:
            tile, future = running.popleft()
            part, top, left = future.result(), tile.top * scale, tile.left * scale
            enlarged[top : top + part.shape[0], left : left + part.shape[1]] = part

        for tile in tiles(height=height, width=width, edge=self._tile_edge):
            heartbeat()
            part = _with_surroundings(padded, tile, radius)
            running.append((tile, self._pool.submit(self._enlarge_tile, network, part)))
            if len(running) > self._threads:
                put_oldest()
        while running:
            put_oldest()
        return enlarged

    @torch.inference_mode()
    def _enlarge_tile(self, network: Espcn, pixels: Pixels) -> Pixels:
        batch = torch.from_numpy(pixels).to(self._device).permute(2, 0, 1)[None].float().div(255)
        enlarged = network(batch.contiguous(memory_format=torch.channels_last))
        levels = enlarged[0].clamp(0, 1).mul(255).round().to(torch.uint8)
        array: Pixels = levels.permute(1, 2, 0).cpu().numpy()
        return array


def _device(name: str) -> torch.device:
    if name == AUTO:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def _default_threads() -> int:
    return min(MAX_THREADS, os.cpu_count() or 1)


def _with_surroundings(padded: Pixels, tile: Tile, radius: int) -> Pixels:
    window = padded[tile.top : tile.top + tile.height + 2 * radius, tile.left : tile.left + tile.width + 2 * radius]
    return np.ascontiguousarray(window)
