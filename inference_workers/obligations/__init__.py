"""Obligations that workers carry out on outputs, one file each, found by the kind that licences and rules name."""

from typing import Final

from governance.engines.obligations import refuse_unmatched
from governance.kernel.adapters import Adapters, Place
from inference_workers.obligations.types import Handler

HANDLERS: Final[Adapters[Handler]] = Adapters(
    "obligation",
    {
        "limit_resolution": Place("inference_workers.obligations.limit_resolution:HANDLER", "Limit the resolution"),
        "attribution": Place("inference_workers.obligations.attribution:HANDLER", "Name the author in the file"),
        "embed_provenance": Place("inference_workers.obligations.embed_provenance:HANDLER", "Write the provenance"),
    },
)

refuse_unmatched(HANDLERS.names)
