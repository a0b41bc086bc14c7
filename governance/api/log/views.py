"""The log as files: its checkpoint, its tiles, its entries (C2SP tlog-tiles). Public, so nobody is asked who they are.

Only what a published checkpoint covers is there. Nothing at such an address ever changes.
"""

from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from governance.api.errors import LogNotPublished
from governance.api.needs import ANYBODY
from governance.api.schema import problems
from governance.audit.log.checkpoints import published_checkpoint, signed_note_of
from governance.audit.log.log_reader import entry_bundle, tile
from governance.audit.models import Checkpoint
from governance.transparency.tiles import TileRef, parse_tile_path

#: A full tile is the same for ever. So is a partial one, but readers do without it as soon as there is a larger one.
FULL, PARTIAL = "public, max-age=31536000, immutable", "public, max-age=300"
BYTES = "application/octet-stream"
CACHE_CONTROL = OpenApiParameter("Cache-Control", str, OpenApiParameter.HEADER, response=[200])


class OpenLogView(APIView):
    """A view of the public log."""

    needs = {"GET": ANYBODY}
    authentication_classes = []
    permission_classes = []
    throttle_classes = []


class CheckpointView(OpenLogView):
    """What the log says of itself, signed."""

    @extend_schema(
        operation_id="get_log_checkpoint",
        tags=["log"],
        summary="Fetch the newest checkpoint",
        parameters=[CACHE_CONTROL],
        responses={(200, "text/plain; charset=utf-8"): OpenApiResponse(OpenApiTypes.STR, description="A signed note.")},
        extensions=problems("log_not_published"),
    )
    def get(self, request: Request) -> HttpResponse:
        """Return origin, size and root hash, signed by the log and cosigned by its witnesses."""
        note = signed_note_of(needed_checkpoint())
        return HttpResponse(note, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-cache"})


class TileView(OpenLogView):
    """Hashes of the log's tree."""

    @extend_schema(
        operation_id="get_log_tile",
        tags=["log"],
        summary="Fetch a tile of hashes",
        parameters=[
            OpenApiParameter("place", str, OpenApiParameter.PATH, description="`<L>/<N>[.p/<W>]` of C2SP tlog-tiles."),
            CACHE_CONTROL,
        ],
        responses={(200, BYTES): OpenApiResponse(OpenApiTypes.BINARY, description="Hashes of 32 bytes, in order.")},
    )
    def get(self, request: Request, place: str) -> HttpResponse:
        """Return up to 256 hashes of one level of the tree: level 0 has the hashes of entries."""
        ref = _published(place)
        return _file(tile(ref.level, ref.number, ref.width), ref)


class EntriesView(OpenLogView):
    """Entries of the log."""

    @extend_schema(
        operation_id="get_log_entries",
        tags=["log"],
        summary="Fetch a bundle of entries",
        parameters=[
            OpenApiParameter("place", str, OpenApiParameter.PATH, description="`<N>[.p/<W>]` of C2SP tlog-tiles."),
            CACHE_CONTROL,
        ],
        responses={
            (200, BYTES): OpenApiResponse(
                OpenApiTypes.BINARY, description="Entries, each after its length in two bytes, big-endian."
            )
        },
    )
    def get(self, request: Request, place: str) -> HttpResponse:
        """Return up to 256 entries: hashes, ids and codes, nothing about a person."""
        ref = _published(f"entries/{place}")
        return _file(entry_bundle(ref.number, ref.width), ref)


def needed_checkpoint() -> Checkpoint:
    """Return the checkpoint that is published. Raises LogNotPublished before the first."""
    checkpoint = published_checkpoint()
    if checkpoint is None:
        raise LogNotPublished("No checkpoint of the log has been published yet; try again in a few seconds.")
    return checkpoint


def _published(path: str) -> TileRef:
    ref, checkpoint = parse_tile_path(path), published_checkpoint()
    if ref is None or checkpoint is None or ref.end() > checkpoint.size:
        raise Http404
    return ref


def _file(data: bytes, ref: TileRef) -> HttpResponse:
    return HttpResponse(data, content_type=BYTES, headers={"Cache-Control": FULL if ref.full else PARTIAL})
