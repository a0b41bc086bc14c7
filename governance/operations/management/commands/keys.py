"""`manage.py keys`: manage the signing keys of this installation."""

import json
from argparse import ArgumentTypeError
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from governance.audit.log.key_history import KeyRange, announce_keys, key_ranges
from governance.audit.log.trust import trust_file
from governance.kernel import clock
from governance.kernel.canonical import sha256_hex, to_json_object
from governance.kernel.durable_files import replace_file
from governance.kernel.errors import GovernanceError
from governance.keys.ring import KeyAlgorithm, KeyPurpose, KeyRing, PublicKeyInfo, key_ring
from governance.operations.options import Options

PURPOSES = [each.value for each in KeyPurpose]
ALGORITHMS = [each.value for each in KeyAlgorithm]


class Command(BaseCommand):
    """`list`, `init`, `rotate PURPOSE`, `revoke KEY_ID`, `export-trust`."""

    help = "List, create, rotate and revoke signing keys; export what others need to verify signatures."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands and their options."""
        actions = parser.add_subparsers(dest="action", required=True, title="actions")
        listing = actions.add_parser("list", help="show every key with its validity and state")
        listing.add_argument("--json", action="store_true", help="print one JSON array, with the public keys")
        making = actions.add_parser("init", help="create a key for every purpose that has none")
        making.add_argument("--algorithm", choices=ALGORITHMS, help="default: chosen to suit the key store")
        rotating = actions.add_parser("rotate", help="create a new key; the previous one expires an hour later")
        rotating.add_argument("purpose", choices=PURPOSES)
        rotating.add_argument("--algorithm", choices=ALGORITHMS, help="default: that of the previous key")
        revoking = actions.add_parser("revoke", help="reject everything that the key signs from now on")
        revoking.add_argument("key_id")
        revoking.add_argument(
            "--since", type=_moment, help="when the key may have been stolen: ISO 8601 with time zone"
        )
        exporting = actions.add_parser("export-trust", help="write the trust file that offline verifiers need")
        exporting.add_argument("--out", type=Path, metavar="FILE", help="the file to write; default: standard output")

    def handle(self, *, action: str, **options: object) -> None:
        """Run the subcommand. Raises CommandError with the code of what was refused."""
        act = {
            "list": self._list,
            "init": self._init,
            "rotate": self._rotate,
            "revoke": self._revoke,
            "export-trust": self._export,
        }[action]
        try:
            act(key_ring.get(), options)
        except GovernanceError as error:
            raise CommandError(f"{error.message} ({error.error_code})") from error

    def _list(self, ring: KeyRing, options: Options) -> None:
        keys, places = ring.public_keys(), _places()
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(info, places.get(info.key_id)) for info in keys]))
            return
        for info in keys:
            end = info.not_after.isoformat(timespec="seconds") if info.not_after else "no end"
            start = info.not_before.isoformat(timespec="seconds")
            self.stdout.write(
                f"{info.key_id:<22} {info.purpose:<11} {info.algorithm:<8} {_state(info):<8} "
                f"{_as_text(places.get(info.key_id)):<26} {start} to {end}"
            )

    def _init(self, ring: KeyRing, options: Options) -> None:
        development = settings.ASSENT_ALLOW_DEVELOPMENT_KEYS and settings.ASSENT_KEY_PROVIDER == "file"
        ring.ensure(development=development, algorithm=_algorithm(options))
        self._announce()
        self._list(ring, {"json": False})

    def _rotate(self, ring: KeyRing, options: Options) -> None:
        info = ring.rotate(purpose=KeyPurpose(options["purpose"]), algorithm=_algorithm(options))
        self.stdout.write(f"Key {info.key_id} now signs for '{info.purpose}'.")
        self._announce()

    def _revoke(self, ring: KeyRing, options: Options) -> None:
        info = ring.revoke(key_id=options["key_id"], since=options["since"])
        self.stdout.write(f"Key {info.key_id} is revoked for everything signed from {info.revoked_at} on.")
        self._announce()
        if not any(_state(other) == "valid" for other in ring.public_keys() if other.purpose is info.purpose):
            self.stdout.write(f"No key is left for '{info.purpose}': run 'manage.py keys rotate {info.purpose}'.")

    def _export(self, ring: KeyRing, options: Options) -> None:
        data, target = trust_file(), options["out"]
        if target is None:
            self.stdout.write(data.decode(), ending="")
        else:
            _write(target, data)
            self.stdout.write(f"Wrote {target}.")
        self.stderr.write(f"SHA-256 {sha256_hex(data)}: publish it where your partners look for it.", lambda text: text)

    def _announce(self) -> None:
        """Record the change of keys. Keys stay revocable while the database is down: the sequencer records it later."""
        try:
            announce_keys()
        except DatabaseError as error:
            notice = "The ledger has no entry of this yet; the sequencer writes it when the database is back"
            self.stderr.write(f"{notice} ({str(error).strip()}).")


def _algorithm(options: Options) -> KeyAlgorithm | None:
    return KeyAlgorithm(options["algorithm"]) if options["algorithm"] else None


def _places() -> dict[str, KeyRange]:
    """Return the log entries that each key may sign for; nothing while the database is down."""
    try:
        return {each.key_id: each for each in key_ranges()}
    except DatabaseError:
        return {}


def _as_json(info: PublicKeyInfo, place: KeyRange | None) -> Options:
    ends = ("from_index", "until_index", "revoked_from_index")
    return {
        **to_json_object(info),
        "state": _state(info),
        **{name: getattr(place, name) if place else None for name in ends},
    }


def _as_text(place: KeyRange | None) -> str:
    if place is None:
        return "not in the log yet"
    ends = [end for end in (place.until_index, place.revoked_from_index) if end is not None]
    if not ends:
        return f"from entry {place.from_index} on"
    last = min(ends) - 1
    return f"entries {place.from_index} to {last}" if last >= place.from_index else "no entry"


def _write(target: Path, data: bytes) -> None:
    try:
        replace_file(target.absolute(), data, mode=0o644)
    except OSError as error:
        raise CommandError(f"{target} cannot be written: {error.strerror}.") from error


def _state(info: PublicKeyInfo) -> str:
    now = clock.now()
    if info.revoked(now):
        return "revoked"
    return "valid" if info.in_window(now) else "ended"


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not an ISO 8601 time") from error
    if moment.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} has no time zone; add Z or +01:00")
    return moment
