import io
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from inference_workers.errors import RuntimeFault
from inference_workers.runtimes import weights
from inference_workers.runtimes.espcn import Espcn, EspcnConfig
from inference_workers.runtimes.weights import NetworkCache, load_network, parse_config, read_artifact

CONFIG = EspcnConfig(scale=2, features=4, layers=1)
STORED: dict[str, Any] = {"architecture": "espcn", "scale": 2, "features": 4, "layers": 1}
CPU = torch.device("cpu")


def artifact(**replaced: torch.Tensor) -> bytes:
    return save(Espcn(CONFIG).state_dict() | replaced)


def pickled() -> bytes:
    out = io.BytesIO()
    torch.save(Espcn(CONFIG).state_dict(), out)
    return out.getvalue()


def test_saved_weights_come_back() -> None:
    network = Espcn(CONFIG)
    loaded = load_network(artifact=save(network.state_dict()), config=CONFIG, device=CPU)
    assert all(torch.equal(loaded.state_dict()[name], tensor) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not safetensors",
        artifact()[:-1],
        pickled(),
        artifact(**{"subpixels.bias": torch.zeros(13)}),
        artifact(surplus=torch.zeros(1)),
        artifact(**{"subpixels.bias": torch.zeros(12, dtype=torch.float64)}),
        artifact(**{"subpixels.bias": torch.full((12,), torch.nan)}),
        save({"features.0.bias": torch.zeros(4)}),
    ],
    ids=["empty", "text", "truncated", "pickle", "shape", "surplus", "dtype", "nan", "missing"],
)
def test_an_artifact_that_does_not_fit_is_refused(data: bytes) -> None:
    with pytest.raises(RuntimeFault) as raised:
        load_network(artifact=data, config=CONFIG, device=CPU)
    assert raised.value.error_code == "artifact_unloadable"


def test_a_configuration_is_parsed() -> None:
    assert parse_config(STORED) == CONFIG


@pytest.mark.parametrize(
    "change",
    [
        {"architecture": "resnet"},
        {"scale": 1},
        {"scale": 5},
        {"scale": "2"},
        {"features": True},
        {"features": 513},
        {"layers": -1},
        {"layers": 1.0},
        {"layers": None},
        {"dropout": 1},
    ],
)
def test_a_configuration_out_of_bounds_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(RuntimeFault) as raised:
        parse_config(STORED | change)
    assert raised.value.error_code == "model_config_invalid"


def test_an_artifact_is_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"abc")
    assert read_artifact(file) == b"abc"


def test_a_missing_artifact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeFault) as raised:
        read_artifact(tmp_path / "absent")
    assert raised.value.error_code == "artifact_unloadable"


def test_an_oversized_artifact_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "MAX_ARTIFACT_BYTES", 2)
    file = tmp_path / "weights"
    file.write_bytes(b"abc")
    with pytest.raises(RuntimeFault, match="larger"):
        read_artifact(file)


def test_the_cache_forgets_the_network_used_longest_ago() -> None:
    loaded: list[str] = []

    def use(cache: NetworkCache, digest: str) -> Espcn:
        return cache.get(digest, CONFIG, lambda: (loaded.append(digest), Espcn(CONFIG))[1])

    cache = NetworkCache(size=2)
    first = use(cache, "a")
    use(cache, "b")
    assert use(cache, "a") is first
    use(cache, "c")
    use(cache, "a")
    use(cache, "b")
    assert loaded == ["a", "b", "c", "b"]


def test_the_cache_tells_configurations_apart() -> None:
    cache = NetworkCache(size=2)
    other = EspcnConfig(scale=3, features=4, layers=1)
    assert cache.get("a", CONFIG, lambda: Espcn(CONFIG)).config == CONFIG
    assert cache.get("a", other, lambda: Espcn(other)).config == other
