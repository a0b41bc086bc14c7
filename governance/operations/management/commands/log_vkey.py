"""`manage.py log_vkey`: the verifier keys of this log's checkpoints, for witnesses and monitors."""

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from governance.kernel import clock
from governance.kernel.errors import GovernanceError
from governance.keys.ring import KeyPurpose, PublicKeyInfo, key_ring
from governance.transparency.notes import vkey_of


class Command(BaseCommand):
    """Print one verifier key per line: usually one, two for a while after a rotation."""

    help = "Print the verifier keys of this log, for witnesses (c2sp.org/signed-note)."

    def handle(self, *args: object, **options: object) -> None:
        """Print the verifier key of the log. Raises CommandError without a checkpoint key."""
        try:
            keys = [info for info in key_ring.get().public_keys() if info.purpose is KeyPurpose.CHECKPOINT]
        except GovernanceError as error:
            raise CommandError(f"{error.message} ({error.error_code})") from error
        now = clock.now()  # after the keys were loaded, since development creates them only then
        valid = [info for info in keys if info.in_window(now) and not info.revoked(now)]
        if not valid:
            raise CommandError("No key signs checkpoints: run 'manage.py keys init', or 'keys rotate checkpoint'.")
        for info in valid:
            self.stdout.write(_vkey(info))


def _vkey(info: PublicKeyInfo) -> str:
    public = load_pem_public_key(info.public_pem.encode()).public_bytes(Encoding.Raw, PublicFormat.Raw)
    return vkey_of(name=settings.ASSENT_LOG_ORIGIN, public=public)
