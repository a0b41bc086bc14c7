"""Small pictures of works and outputs, made from object storage, for users with permission to see them."""

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified

from governance.catalog.objects import read_verified
from governance.kernel.errors import IntegrityFault, Unavailable
from governance.pictures.decoding import decode
from governance.pictures.encoding import encode_webp
from governance.pictures.errors import PictureRefused
from governance.pictures.limits import STORED_LIMITS
from governance.pictures.resampling import fit

SIZES = {"small": 320, "large": 1280}
KEPT_SECONDS = 3600

MISSING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 200" role="img"><rect width="320" height="200" '
    'fill="#94a3b822"/><text x="160" y="104" text-anchor="middle" font-family="sans-serif" font-size="15" '
    'fill="#8a94a6">{}</text></svg>'
)


def picture_response(request: HttpRequest, object_name: str, sha256: str) -> HttpResponse:
    """Answer with a downscaled WebP of a stored image, or a placeholder if its bytes are missing, altered or
    no picture that is accepted now.

    The bytes are hashed before they are decoded, so an altered file is never shown as if it were the work.
    """
    pixels = SIZES.get(request.GET.get("size", "small"), SIZES["small"])
    etag = f'"{sha256}-{pixels}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponseNotModified()
    try:
        response = HttpResponse(thumbnail(read_verified(object_name, sha256), pixels), content_type="image/webp")
    except (IntegrityFault, Unavailable, PictureRefused) as error:
        response = HttpResponse(MISSING.format(error.title), content_type="image/svg+xml")
        response["Cache-Control"] = "no-store"
        return response
    response["Cache-Control"] = f"private, max-age={KEPT_SECONDS}"
    response["ETag"] = etag
    return response


def thumbnail(data: bytes, pixels: int) -> bytes:
    """Return a stored picture as everybody else sees it, as WebP with no side longer than `pixels`."""
    return encode_webp(fit(decode(data, STORED_LIMITS).image, pixels))
