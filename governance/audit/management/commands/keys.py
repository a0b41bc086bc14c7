"""`manage.py keys`: look after the signing keys of this installation."""

import json
from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.kernel import clock
from governance.kernel.canonical import to_json_value
from governance.kernel.errors import GovernanceError
from governance.kernel.keys import KeyAlgorithm, KeyPurpose, KeyRing, PublicKeyInfo, key_ring


class Command(BaseCommand):
    """`list`, `init`, `rotate PURPOSE`, `revoke KEY_ID`."""

    help = "List, make, rotate and revoke signing keys."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, title="actions")
        listing = actions.add_parser("list", help="show every key, its window and its state")
        listing.add_argument("--json", action="store_true", help="print one JSON array, with the public keys")
        making = actions.add_parser("init", help="make a key for every purpose that has none")
        making.add_argument("--algorithm", choices=list(KeyAlgorithm), default=KeyAlgorithm.ED25519)
        rotating = actions.add_parser("rotate", help="make a new key; the one before ends an hour later")
        rotating.add_argument("purpose", choices=list(KeyPurpose))
        rotating.add_argument("--algorithm", choices=list(KeyAlgorithm), help="as before when left out")
        revoking = actions.add_parser("revoke", help="let nothing count that the key signs from now on")
        revoking.add_argument("key_id")
        revoking.add_argument("--since", type=_moment, help="ISO 8601 time with zone, when it may have been stolen")

    def handle(self, *, action: str, **options: Any) -> None:
        act = {"list": self._list, "init": self._init, "rotate": self._rotate, "revoke": self._revoke}[action]
        try:
            act(key_ring.get(), options)
        except GovernanceError as error:
            raise CommandError(f"{error.message} ({error.error_code})") from error

    def _list(self, ring: KeyRing, options: dict[str, Any]) -> None:
        keys = ring.public_keys()
        if options["json"]:
            self.stdout.write(json.dumps([{**to_json_value(info), "state": _state(info)} for info in keys]))
            return
        for info in keys:
            end = info.not_after.isoformat(timespec="seconds") if info.not_after else "no end"
            start = info.not_before.isoformat(timespec="seconds")
            self.stdout.write(
                f"{info.key_id:<22} {info.purpose:<11} {info.algorithm:<8} {_state(info):<8} {start} to {end}"
            )

    def _init(self, ring: KeyRing, options: dict[str, Any]) -> None:
        ring.ensure(development=settings.ASSENT_ALLOW_DEVELOPMENT_KEYS, algorithm=KeyAlgorithm(options["algorithm"]))
        self._list(ring, {"json": False})

    def _rotate(self, ring: KeyRing, options: dict[str, Any]) -> None:
        algorithm = KeyAlgorithm(options["algorithm"]) if options["algorithm"] else None
        info = ring.rotate(purpose=KeyPurpose(options["purpose"]), algorithm=algorithm)
        self.stdout.write(f"Key {info.key_id} now signs for '{info.purpose}'.")

    def _revoke(self, ring: KeyRing, options: dict[str, Any]) -> None:
        info = ring.revoke(key_id=options["key_id"], since=options["since"])
        self.stdout.write(f"Key {info.key_id} counts for nothing signed from {info.revoked_at} on.")
        if not any(_state(other) == "valid" for other in ring.public_keys() if other.purpose is info.purpose):
            self.stdout.write(f"No key is left for '{info.purpose}': run 'manage.py keys rotate {info.purpose}'.")


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
