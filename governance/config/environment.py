"""Reading of environment variables into typed settings."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict


def text(name: str, default: str = "") -> str:
    """Return the variable, or `default` where it is unset or empty."""
    return os.environ.get(name) or default


def integer(name: str, default: int, *, least: int = 1, most: int | None = None) -> int:
    """Return the variable as a whole number within bounds. Raises ImproperlyConfigured with the bound it broke."""
    raw = os.environ.get(name) or str(default)
    try:
        value = int(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not '{raw}'.") from error
    if value < least or (most is not None and value > most):
        bounds = f"at least {least}" if most is None else f"from {least} to {most}"
        raise ImproperlyConfigured(f"{name} must be {bounds}, not {value}.")
    return value


def words(name: str, default: str = "") -> list[str]:
    """Return the variable split at commas, without blanks."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def choice(name: str, options: Sequence[str]) -> str:
    """Return the variable, by default the first of `options`. Raises ImproperlyConfigured for anything else."""
    value = text(name, options[0])
    if value not in options:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(options)}, not '{value}'.")
    return value


def path(name: str, default: Path) -> Path:
    """Return the variable as an absolute path."""
    return Path(text(name, str(default))).expanduser().absolute()


def database(url: str) -> dict[str, Any]:
    """Return Django's database settings for a libpq connection URI (PostgreSQL manual, section 34.1.1.2).

    Unix socket directories are given as `?host=/directory`, as libpq takes them.
    """
    known = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    parts = conninfo_to_dict(url)
    settings: dict[str, Any] = {setting: str(parts.pop(key, None) or "") for key, setting in known.items()}
    return settings | {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {**parts, "pool": False}}
