"""Loads networks from the bytes of registered artifacts, and caches the ones used last."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load

from inference_workers.errors import RuntimeFault
from inference_workers.runtimes.espcn import Espcn, EspcnConfig

ARCHITECTURE: Final = "espcn"
MAX_ARTIFACT_BYTES: Final = 64 * 1024 * 1024
_BOUNDS: Final = {"scale": (2, 4), "features": (1, 512), "layers": (0, 64)}


def read_artifact(path: Path) -> bytes:
    """Return the artifact's bytes, to be hashed and loaded from the same copy.

    Raises RuntimeFault `artifact_unloadable` when it cannot be read or is larger than MAX_ARTIFACT_BYTES.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_ARTIFACT_BYTES + 1)
    except OSError as error:
        raise _unloadable("The model artifact cannot be read.") from error
    if len(data) > MAX_ARTIFACT_BYTES:
        raise _unloadable("The model artifact is larger than this runtime loads.")
    return data


def parse_config(config: Mapping[str, object]) -> EspcnConfig:
    """Return the shape of the net from a model version's config: `architecture`, `scale`, `features`, `layers`.

    Raises RuntimeFault `model_config_invalid` for anything missing, unknown, of another type or out of bounds.
    """
    if config.get("architecture") != ARCHITECTURE:
        raise _misconfigured(f'"architecture" must be "{ARCHITECTURE}".')
    unknown = sorted(set(config) - {"architecture", *_BOUNDS})
    if unknown:
        raise _misconfigured(f"Unknown settings: {', '.join(unknown)}.")
    return EspcnConfig(**{name: _bounded(config, name, *bounds) for name, bounds in _BOUNDS.items()})


def load_network(*, artifact: bytes, config: EspcnConfig, device: torch.device) -> Espcn:
    """Return the network with the artifact's weights, ready to run on `device`.

    Only safetensors are read, a format without code. Raises RuntimeFault `artifact_unloadable` when the bytes
    are something else, when names or shapes do not fit `config`, or when a weight is not a finite float32.
    """
    try:
        tensors = load(artifact)
    except (SafetensorError, ValueError, KeyError) as error:
        raise _unloadable("The model artifact is not a readable safetensors file.") from error
    if not all(tensor.dtype == torch.float32 and bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
        raise _unloadable("The model artifact holds weights that are not finite float32 numbers.")
    network = Espcn(config)
    try:
        network.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        raise _unloadable("The model artifact does not fit the model's configuration.") from error
    return network.eval().to(device)


class NetworkCache:
    """The last `size` networks used, by artifact digest and configuration. Safe to use from several threads."""

    def __init__(self, *, size: int) -> None:
        self._size = size
        self._networks: OrderedDict[tuple[str, EspcnConfig], Espcn] = OrderedDict()
        self._lock = Lock()

    def get(self, digest: str, config: EspcnConfig, load_it: Callable[[], Espcn]) -> Espcn:
        """Return the network of that key, from `load_it` when it is not cached. Raises what `load_it` raises."""
        key = (digest, config)
        with self._lock:
            if key not in self._networks:
                self._networks[key] = load_it()
            self._networks.move_to_end(key)
            while len(self._networks) > self._size:
                self._networks.popitem(last=False)
            return self._networks[key]


def _bounded(config: Mapping[str, object], name: str, low: int, high: int) -> int:
    value = config.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise _misconfigured(f'"{name}" must be a whole number from {low} to {high}.')
    return value


def _unloadable(message: str) -> RuntimeFault:
    return RuntimeFault(message, code="artifact_unloadable")


def _misconfigured(message: str) -> RuntimeFault:
    return RuntimeFault(message, code="model_config_invalid")
