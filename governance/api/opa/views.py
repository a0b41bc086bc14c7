"""The three endpoints that OPA servers use: bundles, decision logs, status.

OPA's management API: https://www.openpolicyagent.org/docs/management-introduction. Every server has its own
credential; partners' tokens are not accepted.
"""

import re
import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import asdict

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.needs import OPA_SERVER
from governance.kernel.json_reading import ANY_INTEGER, JsonRefused, read_json, read_json_items
from governance.opa.errors import OpaCredentialInvalid, UploadMalformed, UploadTooLarge
from governance.opa.intake import note_refused_upload, store_logs
from governance.opa.models import OpaServer
from governance.opa.queries import bundle_etag, bundle_to_run, server_of
from governance.opa.services import note_contact, store_status
from governance.rulebook.bundles import MEDIA_TYPE

LOOK_SECONDS = 0.2
_WAIT = re.compile(r"\bwait=([0-9]{1,4})\b")
_PLAIN = "application/gzip"


class OpaAuthentication(BaseAuthentication):
    """The bearer credential that an OPA server was enrolled with."""

    def authenticate(self, request: Request) -> tuple[OpaServer, OpaServer]:
        """Return the server. Raises OpaCredentialInvalid."""
        scheme, _, credential = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer" or not credential.isascii():
            raise OpaCredentialInvalid("An OPA server sends its credential as a bearer token.")
        server = server_of(credential.decode("ascii").strip())
        return server, server

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of RFC 6750 section 3."""
        return 'Bearer realm="assent-opa"'


class IsOpaServer(BasePermission):
    """Lets enrolled OPA servers through."""

    def has_permission(self, request: Request, view: object) -> bool:
        """Return whether authentication found a server."""
        return isinstance(request.auth, OpaServer)


class _OpaView(APIView):
    needs = {"GET": OPA_SERVER, "POST": OPA_SERVER}
    authentication_classes = [OpaAuthentication]
    permission_classes = [IsOpaServer]
    throttle_classes = []

    @property
    def server(self) -> OpaServer:
        """The server that asks. Raises OpaCredentialInvalid where authentication found none."""
        server = self.request.auth
        if not isinstance(server, OpaServer):
            raise OpaCredentialInvalid("An OPA server sends its credential as a bearer token.")
        return server


@extend_schema(exclude=True)
class BundleView(_OpaView):
    """The bundle of the active revision, at once or as soon as there is another (long polling)."""

    _waiting = threading.BoundedSemaphore(settings.ASSENT_OPA_WAITERS)

    def get(self, request: Request, name: str) -> HttpResponse:
        """Answer 200 with a bundle that the server does not have, or 304.

        A server that prefers to wait is kept until then. So that waiting never takes all threads, only some may; the
        others learn from the media type that there is no long polling now, and poll again later.
        """
        note_contact(self.server)
        known = request.headers.get("If-None-Match", "")
        prefers = _WAIT.search(request.headers.get("Prefer", ""))
        patience = min(int(prefers[1]), settings.ASSENT_OPA_WAIT_SECONDS) if prefers else 0
        media_type = MEDIA_TYPE
        key_id = self.server.key_id
        if patience and bundle_etag(name, key_id=key_id) == known:
            if self._waiting.acquire(blocking=False):
                try:
                    _wait_for_another(name, key_id=key_id, known=known, seconds=patience)
                finally:
                    self._waiting.release()
            else:
                media_type, known = _PLAIN, ""
        bundle = bundle_to_run(name, key_id=key_id)
        headers = {"ETag": bundle.etag, "Cache-Control": "no-store"}
        if bundle.etag == known:
            return HttpResponse(status=304, content_type=media_type, headers=headers)
        return HttpResponse(bundle.data, content_type=media_type, headers=headers)


@extend_schema(exclude=True)
class LogsView(_OpaView):
    """Decision logs."""

    def post(self, request: Request) -> Response:
        """Judge every event, store those that are taken, then acknowledge, with what was refused and why.

        OPA keeps events and sends them again until it is answered with 200.
        """
        try:
            content, cut = _content(request)
            events = _events(content, cut)
        except (UploadMalformed, UploadTooLarge) as error:
            note_refused_upload(server=self.server, detail=error.message)
            raise
        return Response(asdict(store_logs(server=self.server, events=events, cut=cut)))


@extend_schema(exclude=True)
class StatusView(_OpaView):
    """Status reports."""

    def post(self, request: Request) -> Response:
        """Store the report."""
        content, cut = _content(request)
        if cut:
            raise UploadTooLarge(f"The body has more than {settings.ASSENT_OPA_UPLOAD_BYTES} bytes once decompressed.")
        try:
            report = read_json(content, max_integer=ANY_INTEGER)
        except JsonRefused as error:
            raise UploadMalformed(f"A status report is a JSON object, but {error}.") from error
        if not isinstance(report, Mapping):
            raise UploadMalformed("A status report is a JSON object.")
        store_status(server=self.server, report=report)
        return Response({})


def _events(content: bytes, cut: bool) -> list[object]:
    """Return the events of an upload, each as `read_json_items` judges it. Raises UploadMalformed."""
    try:
        most = settings.ASSENT_OPA_BATCH_EVENTS
        return [*read_json_items(content, max_integer=ANY_INTEGER, cut=cut, most=most)]
    except JsonRefused as error:
        raise UploadMalformed(f"A decision log upload is a JSON array of events, but {error}.") from error


def _wait_for_another(name: str, *, key_id: str, known: str, seconds: int) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and bundle_etag(name, key_id=key_id) == known:
        time.sleep(LOOK_SECONDS)


def _content(request: Request) -> tuple[bytes, bool]:
    """Return a body, decompressed if need be, and whether it goes on past the limit, where it was cut.

    Raises UploadMalformed or UploadTooLarge.
    """
    limit = settings.ASSENT_OPA_UPLOAD_BYTES
    encoding = request.headers.get("Content-Encoding", "").lower()
    if encoding not in ("", "identity", "gzip"):
        raise UploadMalformed(f"The content encoding '{encoding[:20]}' is not supported.")
    packed = request._request.read(limit + 1)
    if len(packed) > limit:
        raise UploadTooLarge(f"The body has more than {limit} bytes.")
    return _unpacked(packed, limit) if encoding == "gzip" else (packed, False)


def _unpacked(packed: bytes, limit: int) -> tuple[bytes, bool]:
    """Return the content of gzip data (RFC 1952) up to the limit, and whether there is more."""
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        content = reader.decompress(packed, limit)
        cut = not reader.eof and (bool(reader.unconsumed_tail) or bool(reader.decompress(b"", 1)))
    except zlib.error as error:
        raise UploadMalformed("The body is not gzip.") from error
    if not cut and not reader.eof:
        raise UploadMalformed("The body ends too early.")
    if reader.unused_data:
        raise UploadMalformed("More follows after the gzip data.")
    return content, cut
