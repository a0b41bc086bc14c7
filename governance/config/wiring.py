"""Where ports meet adapters, and nowhere else."""

from django.conf import settings

from governance.audit.ports import WormStore, worm_store
from governance.audit.worm_filesystem import FilesystemWormStore
from governance.decisions.ports import supported_obligations
from governance.engines.ports import policy_engine
from governance.engines.rego import RegoEngine
from governance.kernel.key_store import FileKeyStore
from governance.kernel.keys import KeyRing, key_ring
from inference_workers.obligations.handlers import CARRIED_OUT


def bind_all() -> None:
    """Bind every port. Adapters are built on first use, so this opens no file and no connection."""
    key_ring.bind(_key_ring)
    worm_store.bind(_worm_store)
    policy_engine.bind(RegoEngine)
    supported_obligations.bind(lambda: frozenset(CARRIED_OUT))


def _key_ring() -> KeyRing:
    """Development and tests make their own keys, marked as such; production brings its store (`manage.py keys`)."""
    store = FileKeyStore(
        settings.ASSENT_KEY_STORE,
        settings.ASSENT_KEY_PASSPHRASE,
        allow_development=settings.ASSENT_ALLOW_DEVELOPMENT_KEYS,
    )
    ring = KeyRing(store)
    if settings.ASSENT_ALLOW_DEVELOPMENT_KEYS:
        ring.ensure(development=True)
    return ring


def _worm_store() -> WormStore:
    return FilesystemWormStore(settings.ASSENT_WORM_DIR)
