"""Base64 (RFC 4648 section 4), in its canonical form only, so that the same bytes always have the same text."""

import binascii
from base64 import b64decode, b64encode


def encode(data: bytes) -> str:
    """Return `data` as base64 with padding."""
    return b64encode(data).decode("ascii")


def decode(text: str) -> bytes:
    """Return the bytes of `text`.

    Raises ValueError for what `encode` would not have written: other letters, missing padding, or bits set behind the
    last byte (RFC 4648 section 3.5), which most decoders accept.
    """
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"this is not base64: {error}") from error
    if encode(data) != text:
        raise ValueError("this is not base64 in its canonical form")
    return data
