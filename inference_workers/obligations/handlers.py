"""The kinds of obligation that a worker can carry out on an output image."""

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Final

from PIL import Image

from governance.kernel.canonical import Json, canonical_json, sha256_hex
from governance.workflows.types import Provenance
from inference_workers.errors import ObligationUnsupported
from inference_workers.images import TextChunk
from inference_workers.obligations.types import Draft, Handler, Outcome, Parameters, Stage, Step

PROVENANCE_KEYWORD: Final = "assent:provenance"
PROVENANCE_FORMAT: Final = 1
ATTRIBUTION_KEYWORD: Final = "Attribution"
"""Not the registered `Copyright` (PNG third edition, 11.3.3.1): a licence may have a tool named, which owns nothing."""
MAX_ATTRIBUTION: Final = 500
"""Characters."""


def limit_resolution(parameters: Parameters, provenance: Provenance) -> Step:
    """Lower the fidelity: {"max_edge": n} scales the picture so that no edge is longer than n pixels (Lanczos)."""
    max_edge = _only(parameters, "max_edge")
    if not isinstance(max_edge, int) or isinstance(max_edge, bool) or max_edge < 1:
        raise ObligationUnsupported('"max_edge" must be a whole number of pixels, 1 or more.')

    def step(draft: Draft) -> tuple[Draft, Outcome]:
        pixels = _fit(draft.pixels, max_edge)
        return Draft(pixels, draft.text), {"width": pixels.width, "height": pixels.height}

    return step


def attribution(parameters: Parameters, provenance: Provenance) -> Step:
    """Name the author in the file: {"text": "..."} is written as a text chunk."""
    text = _only(parameters, "text")
    if not isinstance(text, str) or not text.strip() or not text.isprintable() or len(text) > MAX_ATTRIBUTION:
        raise ObligationUnsupported(f'"text" must be one line of 1 to {MAX_ATTRIBUTION} characters.')
    chunk = TextChunk(ATTRIBUTION_KEYWORD, text, international=not text.isascii())

    def step(draft: Draft) -> tuple[Draft, Outcome]:
        return Draft(draft.pixels, (*draft.text, chunk)), {"keyword": ATTRIBUTION_KEYWORD}

    return step


def embed_provenance(parameters: Parameters, provenance: Provenance) -> Step:
    """Say in the file where it comes from: {} writes the provenance as canonical JSON into an iTXt chunk."""
    if parameters:
        raise ObligationUnsupported("It takes no parameters.")
    payload = canonical_json({"format": PROVENANCE_FORMAT, **asdict(provenance)})
    chunk = TextChunk(PROVENANCE_KEYWORD, payload.decode(), international=True)

    def step(draft: Draft) -> tuple[Draft, Outcome]:
        return Draft(draft.pixels, (*draft.text, chunk)), {
            "keyword": PROVENANCE_KEYWORD,
            "sha256": sha256_hex(payload),
        }

    return step


CARRIED_OUT: Final[Mapping[str, Handler]] = MappingProxyType(
    {
        "limit_resolution": Handler(Stage.PIXELS, limit_resolution),
        "attribution": Handler(Stage.METADATA, attribution),
        "embed_provenance": Handler(Stage.METADATA, embed_provenance),
    }
)


def _fit(pixels: Image.Image, max_edge: int) -> Image.Image:
    ratio = max_edge / max(pixels.size)
    if ratio >= 1:
        return pixels
    return pixels.resize(
        (max(1, round(pixels.width * ratio)), max(1, round(pixels.height * ratio))), Image.Resampling.LANCZOS
    )


def _only(parameters: Parameters, name: str) -> Json:
    if set(parameters) != {name}:
        raise ObligationUnsupported(f'It takes exactly one parameter, "{name}".')
    return parameters[name]
