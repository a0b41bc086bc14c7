"""Reading of environment variables into typed settings."""

import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from governance.audit.log.witnesses import WitnessInvalid, witnesses_of
from governance.kernel.json_reading import read_json, read_json_object

#: The key name in signed notes and a subject in ledger entries: no space, no '+' (c2sp.org/signed-note).
_ORIGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/~-]{0,127}", re.ASCII)


def text(name: str, default: str = "") -> str:
    """Return the variable, or `default` where it is unset or empty."""
    return os.environ.get(name) or default


def integer(name: str, default: int, *, least: int = 1, most: int | None = None) -> int:
    """Return the variable as a whole number within bounds. Raises ImproperlyConfigured that names the bounds."""
    raw = os.environ.get(name) or str(default)
    try:
        value = int(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not '{raw}'.") from error
    if value < least or (most is not None and value > most):
        bounds = f"at least {least}" if most is None else f"from {least} to {most}"
        raise ImproperlyConfigured(f"{name} must be {bounds}, not {value}.")
    return value


def choice(name: str, default: str, among: Collection[str]) -> str:
    """Return the variable, which must be one of `among`. Raises ImproperlyConfigured that lists the choices."""
    value = text(name, default)
    _only(name, [value], among)
    return value


def words(name: str, default: str = "", *, among: Collection[str] = ()) -> list[str]:
    """Return the variable split at commas and stripped. Raises ImproperlyConfigured for unknown words."""
    found = [word.strip() for word in text(name, default).split(",") if word.strip()]
    if among:
        _only(name, found, among)
    return found


def _only(name: str, values: Collection[str], among: Collection[str]) -> None:
    for value in values:
        if value not in among:
            raise ImproperlyConfigured(f"{name} may contain only {', '.join(among)}, not '{value}'.")


def broker(name: str, default: str) -> str:
    """Return the variable, the URL of a Redis or Valkey server. Raises ImproperlyConfigured for any other scheme."""
    url = text(name, default)
    if urlsplit(url).scheme not in ("redis", "rediss"):
        raise ImproperlyConfigured(f"{name} must be a URL such as redis://:password@host:6379/0.")
    return url


def log_origin(name: str, default: str) -> str:
    """Return the variable, a transparency log's name. Raises ImproperlyConfigured for a malformed one."""
    value = text(name, default)
    if not _ORIGIN.fullmatch(value):
        example = "log.example.com/assent"
        raise ImproperlyConfigured(f"{name} must be a URL without its scheme, such as {example}, not '{value}'.")
    return value


def witnesses(name: str) -> list[dict[str, str]]:
    """Return the variable, a JSON array of objects with `name`, `url` and `vkey`. Raises ImproperlyConfigured."""
    try:
        found = read_json(text(name, "[]"))
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise ValueError("it is not a list of objects")
        witnesses_of(found)
    except WitnessInvalid as error:
        raise ImproperlyConfigured(f"{name}: {error.message}") from error
    except ValueError as error:
        example = '[{"name": "witness.example/w1", "url": "https://witness.example", "vkey": "…"}]'
        raise ImproperlyConfigured(f"{name} must be JSON such as {example}: {error}.") from error
    return found


def names_by_name(name: str) -> dict[str, list[str]]:
    """Return the variable, a JSON object from names to lists of names. Raises ImproperlyConfigured."""
    try:
        found = read_json_object(text(name, "{}"))
    except ValueError:
        found = {"": None}
    names = {key: [str(each) for each in value] for key, value in found.items() if _is_names(value)}
    if len(names) == len(found):
        return names
    raise ImproperlyConfigured(f'{name} must be JSON such as {{"policy-team": ["Policy author"]}}.')


def _is_names(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def path(name: str, default: Path) -> Path:
    """Return the variable as an absolute path."""
    return Path(text(name, str(default))).expanduser().absolute()


def database(url: str) -> dict[str, Any]:
    """Return Django's database settings for a libpq connection URI (PostgreSQL manual, section 34.1.1.2).

    Unix socket directories are given as `?host=/directory`, as libpq takes them. Raises ImproperlyConfigured.
    """
    known = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError as error:  # the error's text may quote the password
        raise ImproperlyConfigured("DATABASE_URL must be a URL such as postgresql://user:password@host/db.") from error
    settings: dict[str, Any] = {setting: str(parts.pop(key, None) or "") for key, setting in known.items()}
    return settings | {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {**parts, "pool": False}}
