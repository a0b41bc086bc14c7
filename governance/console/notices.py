"""Notices about the installation on every page of the console."""

from django.conf import settings
from django.http import HttpRequest


def environment(request: HttpRequest) -> list[str] | None:
    """Return a warning label where the installation accepts development keys, and nothing in production."""
    return ["Development keys", "warning"] if settings.ASSENT_ALLOW_DEVELOPMENT_KEYS else None
