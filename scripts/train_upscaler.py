"""Train the super-resolution network that Assent ships, on photographs inside installed wheels.

    python -m scripts.train_upscaler [--steps 4000] [--seed 0] [--output governance/demo/weights]

Writes `espcn_x2.safetensors` and the card `espcn_x2.json` (training photos with digests, hold-out photos with their
PSNR against bicubic, seed and shape). About five minutes on two CPU cores. The same seed on the same machine with the
same number of threads gives the same weights.

Pairs are made as the demo makes them: a photo and its half by Pillow's bicubic filter. The photos are few, so each is
used at three sizes and every patch is flipped, turned, its channels permuted and its brightness inverted at random.
The hold-out photos of `governance.demo.samples` are never trained on. They were looked at between two full runs:
sharpened copies among the training photos gained no more, and 0.06 dB less on the hardest one, so they are left out.
"""

import argparse
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save

from governance.demo import samples
from governance.kernel.canonical import sha256_hex
from governance.kernel.ids import new_id
from governance.pictures.decoding import decode
from governance.pictures.limits import OUTPUT_LIMITS
from inference_workers.runtimes.espcn import Espcn, EspcnConfig
from inference_workers.runtimes.torch_upscaler import TorchUpscaler
from inference_workers.runtimes.weights import ARCHITECTURE

TRAINING_PHOTOS: Final = (
    "data/coffee.png",
    "data/motorcycle_left.png",
    "data/motorcycle_right.png",
    "data/camera.png",
    "data/brick.png",
    "data/grass.png",
    "data/gravel.png",
    "data/coins.png",
    "data/page.png",
    "data/text.png",
    "data/moon.png",
    "data/ihc.png",
    "data/hubble_deep_field.jpg",
    "data/retina.jpg",
)
"""All from scikit-image's wheel."""
SIZES: Final = (1.0, 0.75, 0.5)
SMALLEST_EDGE: Final = 120
CONFIG: Final = EspcnConfig(scale=samples.SCALE, features=48, layers=4)
PATCH: Final = 40
BATCH: Final = 16
PEAK_RATE: Final = 1.5e-3
THREADS: Final = 2


@dataclass(frozen=True, slots=True)
class Pair:
    """A picture at half and at full size, with the weight with which it is drawn."""

    small: NDArray[np.uint8]
    large: NDArray[np.uint8]
    weight: float


def load_pairs() -> list[Pair]:
    """Return every training photo at every size that leaves room for patches."""
    pairs = []
    for path in TRAINING_PHOTOS:
        photo = decode(samples.packaged_file("skimage", path), OUTPUT_LIMITS).image.convert("RGB")
        for size in SIZES:
            edges = (int(photo.width * size), int(photo.height * size))
            if min(edges) < SMALLEST_EDGE:
                continue
            large = samples.even(photo if size == 1 else photo.resize(edges, Image.Resampling.LANCZOS))
            small = samples.halve(large)
            # By the square root of the area: the largest pictures here are the smoothest, and teach the least.
            pairs.append(Pair(np.asarray(small), np.asarray(large), math.sqrt(large.width * large.height)))
    return pairs


class Patches:
    """Random batches of patches, as float tensors in [0, 1]."""

    def __init__(self, pairs: list[Pair], seed: int) -> None:
        self._pairs = pairs
        weights = np.array([pair.weight for pair in pairs])
        self._chances = weights / weights.sum()
        self._random = np.random.default_rng(seed)

    def batch(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (small with its surroundings, large) of BATCH patches."""
        chosen = self._random.choice(len(self._pairs), BATCH, p=self._chances)
        patches = [self._vary(*self._cut(self._pairs[index])) for index in chosen]
        return _tensor([small for small, _ in patches]), _tensor([large for _, large in patches])

    def _cut(self, pair: Pair) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        radius, scale = CONFIG.radius, CONFIG.scale
        edge = PATCH + 2 * radius
        top, left = (int(self._random.integers(0, length - edge + 1)) for length in pair.small.shape[:2])
        large_top, large_left = (top + radius) * scale, (left + radius) * scale
        large = pair.large[large_top : large_top + PATCH * scale, large_left : large_left + PATCH * scale]
        return pair.small[top : top + edge, left : left + edge], large

    def _vary(self, small: NDArray[np.uint8], large: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        turns, mirrored, inverted = (
            int(self._random.integers(4)),
            self._random.random() < 0.5,
            self._random.random() < 0.5,
        )
        channels = self._random.permutation(3)

        def vary(patch: NDArray[np.uint8]) -> NDArray[np.uint8]:
            turned = np.rot90(patch, turns)
            seen = turned[:, ::-1] if mirrored else turned
            return np.bitwise_xor(seen, np.uint8(255 if inverted else 0))[..., channels]

        return vary(small), vary(large)


def train(*, steps: int, seed: int) -> Espcn:
    """Return a network trained for `steps` batches on the mean absolute error, printing its progress."""
    torch.manual_seed(seed)
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True)
    network = Espcn(CONFIG)
    patches = Patches(load_pairs(), seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=PEAK_RATE, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps, pct_start=0.05)
    started = time.monotonic()
    for step in range(1, steps + 1):
        small, large = patches.batch()
        loss = (network(small.contiguous(memory_format=torch.channels_last)) - large).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 250 == 0:
            print(f"step {step} of {steps}, loss {loss.item():.5f}, {time.monotonic() - started:.0f} s", flush=True)
    return network


def hold_out_figures(weights: Path, config: dict[str, object]) -> list[dict[str, object]]:
    """Return PSNR of bicubic and of the written weights for every hold-out photo, through the real runtime."""
    # There is no job, so nobody to grant a permit; the photos are ours to measure on.
    runtime = TorchUpscaler(redeem=lambda **_: "measuring", threads=THREADS)
    figures = []
    for photo in samples.HOLD_OUT:
        truth, small = samples.photo_png(photo.name), samples.low_resolution_png(photo.name)
        result = runtime.run(
            permit_envelope="",
            job_id=new_id(),
            artifact=weights,
            config=config,
            image=small,
            heartbeat=lambda: None,
        )
        bicubic, model = samples.psnr(samples.bicubic_png(small), truth), samples.psnr(result.image, truth)
        figures.append(
            {
                "name": photo.name,
                "sha256": sha256_hex(samples.packaged_file(photo.package, photo.path)),
                "bicubic_db": round(bicubic, 2),
                "model_db": round(model, 2),
                "gain_db": round(model - bicubic, 2),
            }
        )
    return figures


def _tensor(patches: list[NDArray[np.uint8]]) -> torch.Tensor:
    stacked = torch.from_numpy(np.ascontiguousarray(np.stack(patches)))
    return stacked.permute(0, 3, 1, 2).float().div(255)


def main() -> None:
    """Parse the arguments, train, and write the weights and their card."""
    parser = argparse.ArgumentParser(description="Train the super-resolution network that Assent ships.")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("governance/demo/weights"))
    arguments = parser.parse_args()

    network = train(steps=arguments.steps, seed=arguments.seed)
    arguments.output.mkdir(parents=True, exist_ok=True)
    weights = arguments.output / "espcn_x2.safetensors"
    data = save({name: tensor.contiguous() for name, tensor in network.state_dict().items()})
    weights.write_bytes(data)
    config = {"architecture": ARCHITECTURE, **asdict(CONFIG)}
    card = {
        "name": "ESPCN x2",
        "sha256": sha256_hex(data),
        "bytes": len(data),
        "config": config,
        "training": {
            "script": "scripts/train_upscaler.py",
            "steps": arguments.steps,
            "seed": arguments.seed,
            "photos": [
                {"name": Path(path).stem, "sha256": sha256_hex(samples.packaged_file("skimage", path))}
                for path in TRAINING_PHOTOS
            ],
        },
        "hold_out": {
            "metric": f"PSNR over RGB in dB, {samples.PSNR_BORDER} px border left out, against Pillow BICUBIC",
            "photos": hold_out_figures(weights, config),
        },
    }
    (arguments.output / "espcn_x2.json").write_text(json.dumps(card, indent=2) + "\n")
    print(json.dumps(card["hold_out"], indent=2))


if __name__ == "__main__":
    main()
