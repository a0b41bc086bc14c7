"""The obligation `embed_provenance`: the output states its origin."""

from dataclasses import asdict
from typing import Final

from governance.kernel.canonical import canonical_json, sha256_hex
from governance.pictures.types import TextChunk
from governance.workflows.types import Provenance
from inference_workers.errors import ObligationUnsupported
from inference_workers.obligations.types import Draft, Handler, Outcome, Parameters, Stage, Step

PROVENANCE_KEYWORD: Final = "assent:provenance"
PROVENANCE_FORMAT: Final = 1


def _prepare(parameters: Parameters, provenance: Provenance) -> Step:
    """{}: write the provenance as canonical JSON into an iTXt chunk."""
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


HANDLER: Final = Handler(Stage.METADATA, _prepare)
