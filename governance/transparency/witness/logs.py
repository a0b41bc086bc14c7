"""The logs that a witness watches: their verifier keys, whose name is the origin of the log."""

from collections.abc import Sequence
from pathlib import Path

from governance.transparency.notes import ED25519, NoteInvalid, NoteKey, parse_vkey


class WatchedLogs:
    """Fixed keys, and keys in a file, which is read for every checkpoint so that it may change."""

    def __init__(self, vkeys: Sequence[str], *, path: Path | None = None) -> None:
        """Raises NoteInvalid for a key that cannot be one of a log."""
        self._fixed = tuple(_log_key(vkey) for vkey in vkeys)
        self._path = path

    def keys_of(self, origin: str) -> list[NoteKey]:
        """Return the keys that sign for `origin`. Raises OSError and NoteInvalid where the file cannot be used."""
        return [key for key in (*self._fixed, *self._listed()) if key.name == origin]

    def _listed(self) -> list[NoteKey]:
        """Return the file's keys, one a line; empty lines and lines that begin with '#' say nothing."""
        if self._path is None or not self._path.exists():
            return []
        lines = (line.strip() for line in self._path.read_text(encoding="utf-8", errors="replace").splitlines())
        return [_log_key(line) for line in lines if line and not line.startswith("#")]


def _log_key(vkey: str) -> NoteKey:
    key = parse_vkey(vkey)
    if key.algorithm != ED25519:
        raise NoteInvalid(f"{vkey} is not the key of a log: those are of type {ED25519}.")
    return key
