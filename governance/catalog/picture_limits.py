"""The limits of pictures as the settings state them."""

from django.conf import settings

from governance.pictures.limits import Limits


def picture_limits() -> Limits:
    """Return what is accepted from everybody, and what workers compute on. Tiers may only narrow it."""
    return Limits(
        max_edge=settings.ASSENT_MAX_EDGE,
        max_ratio=settings.ASSENT_MAX_ASPECT_RATIO,
        max_pixels=settings.ASSENT_MAX_PIXELS,
        max_parts=settings.ASSENT_MAX_IMAGE_PARTS,
        max_scans=settings.ASSENT_MAX_JPEG_SCANS,
        max_scan_pixels=settings.ASSENT_MAX_SCAN_PIXELS,
        max_metadata_bytes=settings.ASSENT_MAX_PROFILE_BYTES,
    )
