"""Carrying out the obligations of a release on the image that is released."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import NamedTuple

from PIL import Image

from governance.engines.types import Obligation
from governance.kernel.adapters import AdapterUnknown
from governance.kernel.canonical import Json
from governance.pictures.decoding import decode, pixels_of
from governance.pictures.encoding import PNG_MEDIA_TYPE, encode_png
from governance.pictures.limits import MAX_OUTPUT_PIXELS, OUTPUT_LIMITS
from governance.workflows.ports import Heartbeat
from governance.workflows.types import AppliedImage, Provenance
from inference_workers.capacity import Room, nobody
from inference_workers.errors import ObligationUnsupported
from inference_workers.obligations import HANDLERS
from inference_workers.obligations.types import Draft, Stage, Step


class _Prepared(NamedTuple):
    obligation: Obligation
    stage: Stage
    step: Step


def apply_obligations(
    image: bytes,
    obligations: Sequence[Obligation],
    provenance: Provenance,
    heartbeat: Heartbeat = nobody,
    *,
    max_pixels: int = MAX_OUTPUT_PIXELS,
    room: Room | None = None,
) -> AppliedImage:
    """Return `image` with all obligations carried out, as PNG; without obligations the bytes stay as they are.

    Pixels are changed first, metadata is written last; of equal obligations one is carried out. Metadata of the
    incoming image is not kept. Raises ObligationUnsupported, before anything is done, when one kind is unknown or one
    parameter is not understood, PictureRefused, and what `heartbeat` raises. A picture waits for its share of `room`.
    """
    prepared = [_prepare(obligation, provenance) for obligation in _distinct(obligations)]
    limits = replace(OUTPUT_LIMITS, max_pixels=max_pixels)
    with (room or Room(max_pixels)).hold(pixels_of(image, limits), heartbeat):
        picture = decode(image, limits, pulse=heartbeat)
        facts = picture.facts
        if not prepared:
            return AppliedImage(image, facts.media_type, facts.width, facts.height, applied=())
        return _carried_out(prepared, picture.image, heartbeat)


def _carried_out(prepared: Iterable[_Prepared], decoded: Image.Image, heartbeat: Heartbeat) -> AppliedImage:
    draft = Draft(decoded)
    applied: list[Mapping[str, Json]] = []
    for obligation, _, step in sorted(prepared, key=attrgetter("stage")):
        heartbeat()
        draft, outcome = step(draft)
        applied.append({"kind": obligation.kind, "parameters": dict(obligation.parameters), "outcome": outcome})
    heartbeat()
    return AppliedImage(
        image=encode_png(draft.pixels, text=draft.text, pulse=heartbeat),
        media_type=PNG_MEDIA_TYPE,
        width=draft.pixels.width,
        height=draft.pixels.height,
        applied=tuple(applied),
    )


def _prepare(obligation: Obligation, provenance: Provenance) -> _Prepared:
    try:
        handler = HANDLERS.get(obligation.kind)
    except AdapterUnknown as error:
        raise ObligationUnsupported(
            f"No worker can carry out the obligation {obligation.kind}.", details={"kind": obligation.kind}
        ) from error
    try:
        step = handler.prepare(obligation.parameters, provenance)
    except ObligationUnsupported as error:
        message = f"The obligation {obligation.kind} cannot be carried out. {error.message}"
        raise ObligationUnsupported(message, details={"kind": obligation.kind}) from error
    return _Prepared(obligation, handler.stage, step)


def _distinct(obligations: Sequence[Obligation]) -> list[Obligation]:
    """Return the obligations in order, equal ones once. Their parameters cannot be hashed, so no set is used."""
    distinct: list[Obligation] = []
    for obligation in obligations:
        if obligation not in distinct:
            distinct.append(obligation)
    return distinct
