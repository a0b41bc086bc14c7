"""Resampling of canonical pictures.

Colours are weighted by their alpha, so that what cannot be seen does not bleed into what can: Pillow multiplies LA and
RGBA before it resizes, and divides afterwards.
"""

from PIL import Image


def fit(image: Image.Image, max_edge: int) -> Image.Image:
    """Return `image` with no side longer than `max_edge` pixels, by Lanczos; a smaller one as it is."""
    ratio = max_edge / max(image.size)
    if ratio >= 1:
        return image
    width, height = (max(1, round(edge * ratio)) for edge in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)
