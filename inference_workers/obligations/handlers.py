"""The kinds of obligation that a worker can carry out on an output image."""

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Final

from PIL import Image

from governance.kernel.canonical import Json, canonical_json, sha256_hex
from inference_workers.errors import ObligationUnsupported
from inference_workers.images import TextChunk
from inference_workers.obligations.types import Draft, Handler, Outcome, Parameters, ProvenanceContext, Stage, Step

PROVENANCE_KEYWORD: Final = "assent:provenance"
PROVENANCE_FORMAT: Final = 1
ATTRIBUTION_KEYWORDS: Final = ("Copyright", "Attribution")
"""`Copyright` is registered (PNG third edition, 11.3.3.1) and shown by viewers; `Attribution` says what was meant."""
MAX_ATTRIBUTION: Final = 500
"""Characters."""


def limit_resolution(parameters: Parameters, context: ProvenanceContext) -> Step:
    """Lower the fidelity: {"max_edge": n} scales the picture so that no edge is longer than n pixels (Lanczos)."""
    max_edge = _only(parameters, "max_edge")
    if not isinstance(max_edge, int) or isinstance(max_edge, bool) or max_edge < 1:
        raise ObligationUnsupported('"max_edge" must be a whole number of pixels, 1 or more.')

    def step(draft: Draft) -> tuple[Draft, Outcome]:
        pixels = _fit(draft.pixels, max_edge)
        return Draft(pixels, draft.text), {"width": pixels.width, "height": pixels.height}

    return step


def attribution(parameters: Parameters, context: ProvenanceContext) -> Step:
    """Name the author in the file: {"text": "..."} is written as text chunks."""
    text = _only(parameters, "text")
    if not isinstance(text, str) or not text.strip() or not text.isprintable() or len(text) > MAX_ATTRIBUTION:
        raise ObligationUnsupported(f'"text" must be one line of 1 to {MAX_ATTRIBUTION} characters.')
    chunks = tuple(TextChunk(keyword, text, international=not text.isascii()) for keyword in ATTRIBUTION_KEYWORDS)

    def step(draft: Draft) -> tuple[Draft, Outcome]:
        return Draft(draft.pixels, draft.text + chunks), {"keywords": list(ATTRIBUTION_KEYWORDS)}

    return step


def embed_provenance(parameters: Parameters, context: ProvenanceContext) -> Step:
    """Say in the file where it comes from: {} writes the context as canonical JSON into an iTXt chunk."""
    if parameters:
        raise ObligationUnsupported("It takes no parameters.")
    payload = canonical_json({"format": PROVENANCE_FORMAT, **asdict(context)})
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
