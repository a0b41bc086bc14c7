"""Headers that limit what a browser does with an answer, on every answer: pages, the API, files and errors.

The Content Security Policy itself is in the settings (`CONTENT_SECURITY_POLICY`) and set by django-csp.
"""

from collections.abc import Callable, Mapping
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

#: Features of browsers (W3C Permissions Policy) that no page uses, and the few that some do, for our own pages only.
_UNUSED: Final = (
    "accelerometer",
    "autoplay",
    "camera",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "usb",
    "xr-spatial-tracking",
)
_OWN: Final = ("clipboard-write", "publickey-credentials-create", "publickey-credentials-get")

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join([*(f"{name}=()" for name in _UNUSED), *(f"{name}=(self)" for name in _OWN)]),
}


class SecurityHeadersMiddleware:
    """Sets every one of `SECURITY_HEADERS`. Comes before everything that answers by itself, static files included."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in SECURITY_HEADERS.items():
            response.headers[name] = value
        return response
