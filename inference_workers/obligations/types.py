"""The values that obligation handlers work on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

from PIL import Image

from governance.kernel.canonical import Json
from governance.pictures.types import TextChunk
from governance.workflows.types import Provenance
from inference_workers.errors import ObligationUnsupported


@dataclass(frozen=True, slots=True)
class Draft:
    """An output that is being worked on: its pixels, and the text chunks to be written with them."""

    pixels: Image.Image
    text: tuple[TextChunk, ...] = field(default=())


class Stage(IntEnum):
    """Order of work: what changes pixels comes before what describes them."""

    PIXELS = 1
    METADATA = 2


Outcome: TypeAlias = dict[str, Json]
Step: TypeAlias = Callable[[Draft], tuple[Draft, Outcome]]
Parameters: TypeAlias = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Handler:
    """Carries out one kind of obligation.

    `prepare` reads the parameters and returns the work to do. It raises ObligationUnsupported for a parameter that it
    does not know, so that nothing is done halfway.
    """

    stage: Stage
    prepare: Callable[[Parameters, Provenance], Step]


def only_parameter(parameters: Parameters, name: str) -> Json:
    """Return the one parameter that an obligation takes. Raises ObligationUnsupported when there are others."""
    if set(parameters) != {name}:
        raise ObligationUnsupported(f'It takes exactly one parameter, "{name}".')
    return parameters[name]
