"""Model runtimes, one file each. A model version names the one that runs it."""

from typing import Final, Protocol
from uuid import UUID

from governance.kernel.adapters import Adapters, Place
from governance.pictures.limits import Limits
from governance.workflows.ports import ModelRuntime
from inference_workers.capacity import Room


class Redeem(Protocol):
    """Checks a permit against what is really about to happen, uses it up, and returns it or raises PermitInvalid."""

    def __call__(self, *, envelope: str, job_id: UUID, input_digest: str, artifact_digest: str) -> object: ...


class RuntimeFactory(Protocol):
    """Makes a runtime that redeems its permits with `redeem` and computes on `device`: auto, cpu or cuda.

    It takes pictures within `limits`, makes none with more than `max_output_pixels`, and computes them within `room`.
    """

    def __call__(
        self, *, redeem: Redeem, device: str, limits: Limits, max_output_pixels: int, room: Room
    ) -> ModelRuntime: ...


RUNTIMES: Final[Adapters[RuntimeFactory]] = Adapters(
    "model runtime",
    {"torch_espcn": Place("inference_workers.runtimes.torch_upscaler:TorchUpscaler", "PyTorch ESPCN upscaler")},
)
