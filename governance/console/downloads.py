"""File downloads of the console, and readable representations of bytes."""

from django.http import HttpResponse

ROW = 16


def attachment(data: bytes, name: str, content_type: str) -> HttpResponse:
    """Return `data` as a file to save under `name`, never displayed or sniffed by the browser."""
    return HttpResponse(
        data,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"},
    )


def hex_dump(data: bytes) -> str:
    """Return bytes as offset, hexadecimal and printable ASCII, 16 a line."""
    return "\n".join(_line(start, data[start : start + ROW]) for start in range(0, len(data), ROW))


def _line(start: int, row: bytes) -> str:
    shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
    return f"{start:06x}  {row.hex(' '):<{ROW * 3 - 1}}  {shown}"
