"""The obligation `limit_resolution`: a lower fidelity of the output."""

from typing import Final

from governance.pictures.resampling import fit
from governance.workflows.types import Provenance
from inference_workers.errors import ObligationUnsupported
from inference_workers.obligations.types import Draft, Handler, Outcome, Parameters, Stage, Step, only_parameter


def _prepare(parameters: Parameters, provenance: Provenance) -> Step:
    """{"max_edge": n}: scale the picture so that no edge is longer than n pixels (Lanczos)."""
    max_edge = only_parameter(parameters, "max_edge")
    if not isinstance(max_edge, int) or isinstance(max_edge, bool) or max_edge < 1:
        raise ObligationUnsupported('"max_edge" must be a whole number of pixels, 1 or more.')

    def step(draft: Draft) -> tuple[Draft, Outcome]:
        pixels = fit(draft.pixels, max_edge)
        return Draft(pixels, draft.text), {"width": pixels.width, "height": pixels.height}

    return step


HANDLER: Final = Handler(Stage.PIXELS, _prepare)
