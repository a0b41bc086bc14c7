"""`manage.py opa`: enrol and revoke OPA servers, and compare their logs with recorded decisions."""

import json
import os
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.audit.types import Actor
from governance.kernel import clock
from governance.kernel.canonical import to_json_value
from governance.kernel.errors import GovernanceError
from governance.keys.ring import key_ring
from governance.opa.configuration import opa_configuration
from governance.opa.models import OpaServer
from governance.opa.reconciling import name_past_assent, reconcile
from governance.opa.services import enrol, renew_credential, revoke
from governance.operations.options import Options

ACTOR = Actor("system", "manage.py")


class Command(BaseCommand):
    """`enrol NAME`, `renew NAME`, `revoke NAME`, `list`, `reconcile`."""

    help = "Enrol OPA servers, write their configuration, and reconcile their decision logs."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands and their options."""
        actions = parser.add_subparsers(dest="action", required=True, title="actions")
        for action, meaning in (
            ("enrol", "enrol a new server"),
            ("renew", "give a server a new credential"),
        ):
            giving = actions.add_parser(action, help=f"{meaning} and write its configuration")
            giving.add_argument("name")
            giving.add_argument("--url", required=True, help="the URL of this installation as the server reaches it")
            giving.add_argument(
                "--output", type=Path, help="the file to write, readable by its owner only; default: standard output"
            )
            giving.add_argument("--or-renew", action="store_true", help="renew a server that is enrolled already")
        ending = actions.add_parser("revoke", help="take a server out of service for good")
        ending.add_argument("name")
        actions.add_parser("list", help="show every server, its revision and when it was last seen")
        comparing = actions.add_parser("reconcile", help="compare decision logs with decision records, as JSON")
        comparing.add_argument("--hours", type=float, default=24.0)
        comparing.add_argument("--most", type=int, default=1000, help="name so many questions asked past Assent")

    def handle(self, *, action: str, **given: object) -> None:
        """Run the subcommand. Raises CommandError with the code of what was refused."""
        options: Options = {**given}
        try:
            match action:
                case "list":
                    self._list()
                case "reconcile":
                    self._reconcile(options["hours"], options["most"])
                case "revoke":
                    self._revoke(options["name"])
                case _:
                    token = self._credential(options["name"], new=action == "enrol" and not self._known(options))
                    self._write(self._server(options["name"]), token, options["url"], options["output"])
        except GovernanceError as error:
            raise CommandError(f"{error.message} ({error.error_code})") from error

    def _known(self, options: Options) -> bool:
        return options["or_renew"] and OpaServer.objects.filter(name=options["name"], revoked_at=None).exists()

    def _credential(self, name: str, *, new: bool) -> str:
        if new:
            return enrol(name=name, actor=ACTOR)[1]
        return renew_credential(server=self._server(name), actor=ACTOR)

    def _write(self, server: OpaServer, token: str, url: str, output: Path | None) -> None:
        key = key_ring.get().public_key(server.key_id)
        text = json.dumps(opa_configuration(url=url, name=server.name, token=token, key=key), indent=2)
        if output is None:
            self.stdout.write(text)
            return
        output.unlink(missing_ok=True)
        with os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)

    def _revoke(self, name: str) -> None:
        revoke(server=self._server(name), actor=ACTOR)
        self.stdout.write(f"The OPA server '{name}' is out of service.")

    def _list(self) -> None:
        for server in OpaServer.objects.all():
            seen = server.last_seen_at.isoformat(timespec="seconds") if server.last_seen_at else "never seen"
            state = "revoked" if server.revoked_at else "enrolled"
            self.stdout.write(f"{server.name:<20} {state:<9} {server.revision[:12] or '-':<13} {seen} {server.error}")

    def _reconcile(self, hours: float, most: int) -> None:
        until = clock.now()
        try:
            found = reconcile(since=until - timedelta(hours=hours), until=until)
        except (OverflowError, ValueError) as error:
            raise CommandError("There were not as many hours before now.") from error
        counts = asdict(found)
        counts["strangers"] = [to_json_value(each) for each in name_past_assent(found.strangers[:most])]
        self.stdout.write(json.dumps({"reconcile": counts}))
        if found.past_assent:
            shown = min(most, found.past_assent)
            self.stderr.write(
                f"{found.past_assent} questions were asked past Assent, directly at an OPA server; "
                f"'strangers' names {shown} of them. Nothing decided by them is on record."
            )
        if found.disagreeing:
            raise CommandError(f"{found.disagreeing} decision logs disagree with the decisions on record.")

    def _server(self, name: str) -> OpaServer:
        server = OpaServer.objects.filter(name=name).first()
        if server is None:
            raise CommandError(f"There is no OPA server '{name}'.")
        return server
