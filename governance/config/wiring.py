"""The only place where ports are bound to adapters."""

from collections.abc import Callable, Mapping

from django.conf import settings

from governance.audit.ports import WormStore, worm_store
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.audit.stores.s3 import S3WormStore
from governance.audit.stores.s3_bucket import S3Bucket, connect
from governance.decisions.cache import DecisionCache
from governance.decisions.ports import decision_cache, supported_obligations
from governance.engines.casbin import CasbinEngine
from governance.engines.opa import OpaEngine
from governance.engines.ports import PolicyEngine, build_engine, engine_makers, offline_engine, policy_engine
from governance.engines.rego import RegoEngine
from governance.engines.shadow import ShadowedEngine
from governance.keys.file_store import FileKeyStore
from governance.keys.kms import KmsKeyStore, kms_client
from governance.keys.layers import LayeredKeyStore
from governance.keys.ring import KeyRing, KeyStore, key_ring
from governance.opa.marks import new_mark
from governance.registry.ports import runtimes
from inference_workers.obligations import HANDLERS
from inference_workers.runtimes import RUNTIMES


def bind_all() -> None:
    """Bind every port. Adapters are built on first use, so this opens no file and no connection."""
    key_ring.bind(_key_ring)
    worm_store.bind(lambda: _WORM_STORES[settings.ASSENT_WORM_STORE]())
    engine_makers.bind(lambda: _ENGINES)
    offline_engine.bind(_rego)
    policy_engine.bind(_policy_engine)
    decision_cache.bind(_decision_cache)
    runtimes.bind(lambda: RUNTIMES.titles)
    supported_obligations.bind(lambda: frozenset(HANDLERS.names))


def _key_ring() -> KeyRing:
    """Development and tests create their own keys, marked as such; production provides a store (`manage.py keys`)."""
    ring = KeyRing(_KEY_STORES[settings.ASSENT_KEY_PROVIDER]())
    if settings.ASSENT_ALLOW_DEVELOPMENT_KEYS:
        ring.ensure(development=settings.ASSENT_KEY_PROVIDER == "file")
    return ring


def _key_file() -> FileKeyStore:
    return FileKeyStore(
        settings.ASSENT_KEY_STORE,
        settings.ASSENT_KEY_PASSPHRASE,
        allow_development=settings.ASSENT_ALLOW_DEVELOPMENT_KEYS,
    )


def _aws_kms() -> KeyStore:
    """Keys of an existing file stay known beside those of KMS, so that what they signed stays valid."""
    client = kms_client(region=settings.ASSENT_KMS_REGION, endpoint=settings.ASSENT_KMS_ENDPOINT)
    store = KmsKeyStore(client, prefix=settings.ASSENT_KMS_PREFIX, refresh_seconds=settings.ASSENT_KMS_REFRESH_SECONDS)
    if not settings.ASSENT_KEY_STORE.exists():
        return store
    return LayeredKeyStore(older=_key_file(), newer=store)


_KEY_STORES: Mapping[str, Callable[[], KeyStore]] = {"file": _key_file, "aws-kms": _aws_kms}


def _filesystem() -> WormStore:
    return FilesystemWormStore(settings.ASSENT_WORM_DIR)


def _s3() -> WormStore:
    client = connect(
        region=settings.ASSENT_WORM_S3_REGION,
        endpoint=settings.ASSENT_WORM_S3_ENDPOINT,
        ca=settings.ASSENT_WORM_S3_CA,
    )
    bucket = S3Bucket(client=client, name=settings.ASSENT_WORM_S3_BUCKET, prefix=settings.ASSENT_WORM_S3_PREFIX)
    return S3WormStore(bucket=bucket, mode=settings.ASSENT_WORM_S3_MODE)


_WORM_STORES: Mapping[str, Callable[[], WormStore]] = {"filesystem": _filesystem, "s3": _s3}


def _opa() -> PolicyEngine:
    timeout = settings.ASSENT_ENGINE_TIMEOUT_MS / 1000
    budget_ms = settings.ASSENT_CUSTOM_REGO_BUDGET_MS
    return OpaEngine(
        url=settings.OPA_URL, timeout=timeout, token=settings.OPA_TOKEN, custom_budget_ms=budget_ms, mark=new_mark
    )


def _rego() -> RegoEngine:
    return RegoEngine(custom_budget_ms=settings.ASSENT_CUSTOM_REGO_BUDGET_MS)


_ENGINES: Mapping[str, Callable[[], PolicyEngine]] = {"rego": _rego, "opa": _opa, "casbin": CasbinEngine}


def _policy_engine() -> PolicyEngine:
    engine = build_engine(settings.ASSENT_POLICY_ENGINE)
    if not settings.ASSENT_SHADOW_ENGINE:
        return engine
    return ShadowedEngine(first=engine, second=build_engine(settings.ASSENT_SHADOW_ENGINE))


def _decision_cache() -> DecisionCache:
    """With a shadow engine no decision is cached, so that each is compared; with OPA, so that each is in its log."""
    anew = settings.ASSENT_SHADOW_ENGINE or settings.ASSENT_POLICY_ENGINE == "opa"
    return DecisionCache(entries=0 if anew else settings.ASSENT_DECISION_CACHE_ENTRIES)
