"""`manage.py clients`: API clients of partners, their access and their credentials."""

import json
import sys
from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.audit.types import Actor
from governance.kernel import clock
from governance.kernel.errors import GovernanceError
from governance.kernel.json_reading import JsonRefused, read_json_object
from governance.kernel.vocabulary import PURPOSE_LABELS, TOKEN_ACTIONS
from governance.operations.options import Options
from governance.partners.client_access import disable_client, enable_client, revoke_client_tokens
from governance.partners.client_keys import add_key, remove_key
from governance.partners.client_secrets import USUAL_OVERLAP, end_earlier_secret, has_earlier_secret, rotate_secret
from governance.partners.clients import create_client, delete_client, rename_client
from governance.partners.models import ApiClient, Partner

ACTOR = Actor("system", "manage.py")
HOURS = USUAL_OVERLAP / timedelta(hours=1)


class Command(BaseCommand):
    """`list`, `create`, `rename`, `disable`, `enable`, `rotate`, `end-earlier`, `revoke`, `add-key`, and others."""

    help = "Create, list, rename, disable, enable and delete API clients; rotate their secrets; keep their keys."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands and their options."""
        actions = parser.add_subparsers(dest="action", required=True, title="actions")
        listing = actions.add_parser("list", help="show every client, when it was last used, and its credentials")
        listing.add_argument("--partner", help="only of the partner with this slug")
        creating = actions.add_parser("create", help="create a client and print its secret, once, as JSON")
        creating.add_argument("partner", help="the partner's slug")
        creating.add_argument("name")
        creating.add_argument(
            "--scope", action="append", required=True, choices=sorted(TOKEN_ACTIONS), metavar="ACTION"
        )
        creating.add_argument("--purpose", action="append", required=True, choices=sorted(PURPOSE_LABELS))
        creating.add_argument("--model", action="append", default=[], help="only this model; may be repeated")
        creating.add_argument("--dataset", action="append", default=[], help="only this dataset; may be repeated")
        for action, meaning in (
            ("rename", "give a client another name"),
            ("disable", "take a client out of service; its tokens are revoked at once"),
            ("enable", "put a disabled client back into service"),
            ("rotate", "give a client a new secret and print it, once, as JSON"),
            ("end-earlier", "end the secret before the newest one"),
            ("revoke", "revoke every token of a client"),
            ("add-key", "add a public key (a JWK on standard input); with the first one the secret ends"),
            ("remove-key", "remove a public key"),
            ("delete", "delete a client that was never used"),
        ):
            one = actions.add_parser(action, help=meaning)
            one.add_argument("client", help="the client's id")
            self._add_own(one, action)

    def _add_own(self, parser: CommandParser, action: str) -> None:
        match action:
            case "rename":
                parser.add_argument("name")
            case "disable" | "enable" | "revoke":
                parser.add_argument("--reason", required=True, help="a code such as secret_leaked; it stays on record")
            case "rotate":
                parser.add_argument(
                    "--overlap-hours",
                    type=float,
                    default=HOURS,
                    help="how long the present secret goes on; 0: not at all",
                )
            case "remove-key":
                parser.add_argument("kid")
            case "delete":
                parser.add_argument("--yes", action="store_true", required=True, help="confirms that it is deleted")

    def handle(self, *, action: str, **given: object) -> None:
        """Run the subcommand. Raises CommandError with the code of what was refused."""
        options: Options = {**given}
        try:
            match action:
                case "list":
                    self._list(options["partner"])
                case "create":
                    self._create(options)
                case _:
                    self._change(action, _client(options["client"]), options)
        except GovernanceError as error:
            raise CommandError(f"{error.message} ({error.error_code})") from error

    def _list(self, partner: str | None) -> None:
        clients = ApiClient.objects.select_related("partner").prefetch_related("keys").order_by("partner__slug", "name")
        for client in clients.filter(partner__slug=partner) if partner else clients:
            used = client.last_used_at.isoformat(timespec="minutes") if client.last_used_at else "never used"
            state = "enabled" if client.disabled_at is None else "disabled"
            keys = ", ".join(key.kid for key in client.keys.all())
            proof = f"keys {keys}" if keys else "two secrets" if has_earlier_secret(client) else "secret"
            self.stdout.write(
                f"{client.client_id} {client.partner.slug:<20} {state:<8} {used:<22} {proof} {client.name}"
            )

    def _create(self, options: Options) -> None:
        partner = Partner.objects.filter(slug=options["partner"]).first()
        if partner is None:
            raise CommandError(f"There is no partner '{options['partner']}'.")
        client, secret = create_client(
            partner=partner,
            name=options["name"],
            actions=options["scope"],
            purposes=options["purpose"],
            models=options["model"],
            datasets=options["dataset"],
            actor=ACTOR,
        )
        self.stdout.write(json.dumps({"client_id": client.client_id, "client_secret": secret}))

    def _change(self, action: str, client: ApiClient, options: Options) -> None:
        match action:
            case "rename":
                rename_client(client=client, name=options["name"], actor=ACTOR)
                self.stdout.write("The client was renamed.")
            case "disable":
                live = disable_client(client=client, reason=options["reason"], actor=ACTOR)
                self.stdout.write(f"The client is disabled. Live tokens that were revoked: {live}.")
            case "enable":
                enable_client(client=client, reason=options["reason"], actor=ACTOR)
                self.stdout.write("The client is enabled.")
            case "revoke":
                live = revoke_client_tokens(client=client, reason=options["reason"], actor=ACTOR)
                self.stdout.write(f"Live tokens that were revoked: {live}.")
            case "delete":
                delete_client(client=client, actor=ACTOR)
                self.stdout.write("The client was deleted.")
            case _:
                self._change_credentials(action, client, options)

    def _change_credentials(self, action: str, client: ApiClient, options: Options) -> None:
        match action:
            case "rotate":
                hours = options["overlap_hours"]
                until = clock.now() + timedelta(hours=hours) if hours else None
                secret = rotate_secret(client=client, earlier_until=until, actor=ACTOR)
                ends = until.isoformat(timespec="seconds") if until else None
                answer = {"client_id": client.client_id, "client_secret": secret, "earlier_secret_until": ends}
                self.stdout.write(json.dumps(answer))
            case "end-earlier":
                end_earlier_secret(client=client, actor=ACTOR)
                self.stdout.write("The earlier secret has ended.")
            case "add-key":
                key = add_key(client=client, jwk=_jwk(), actor=ACTOR)
                self.stdout.write(f"The key {key.kid} was added.")
            case "remove-key":
                remove_key(client=client, kid=options["kid"], actor=ACTOR)
                self.stdout.write(f"The key {options['kid']} was removed.")


def _client(client_id: str) -> ApiClient:
    client = ApiClient.objects.select_related("partner").filter(client_id=client_id).first()
    if client is None:
        raise CommandError(f"There is no API client '{client_id}'.")
    return client


def _jwk() -> dict[str, object]:
    try:
        return read_json_object(sys.stdin.read())
    except JsonRefused as error:
        raise CommandError(f"The key cannot be read: {error}.") from error
