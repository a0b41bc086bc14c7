"""The obligation `attribution`: the author's name in the output."""

from typing import Final

from governance.pictures.types import TextChunk
from governance.workflows.types import Provenance
from inference_workers.errors import ObligationUnsupported
from inference_workers.obligations.types import Draft, Handler, Outcome, Parameters, Stage, Step, only_parameter

ATTRIBUTION_KEYWORD: Final = "Attribution"
"""Not the registered `Copyright` (PNG third edition, 11.3.3.1): a licence may have a tool named, which owns nothing."""
MAX_ATTRIBUTION: Final = 500
"""Characters."""


def _prepare(parameters: Parameters, provenance: Provenance) -> Step:
    """{"text": "..."}: write the author's name into a text chunk."""
    text = only_parameter(parameters, "text")
    if not isinstance(text, str) or not text.strip() or not text.isprintable() or len(text) > MAX_ATTRIBUTION:
        raise ObligationUnsupported(f'"text" must be one line of 1 to {MAX_ATTRIBUTION} characters.')
    chunk = TextChunk(ATTRIBUTION_KEYWORD, text, international=not text.isascii())

    def step(draft: Draft) -> tuple[Draft, Outcome]:
        return Draft(draft.pixels, (*draft.text, chunk)), {"keyword": ATTRIBUTION_KEYWORD}

    return step


HANDLER: Final = Handler(Stage.METADATA, _prepare)
