"""Settings for the test suite: the development settings with fast password hashing and no caches."""

from governance.config.settings.dev import *  # noqa: F403

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "governance.partners.hashers.ClientSecretHasher",
]
STORAGES["staticfiles"] = {  # noqa: F405
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
STATIC_ROOT = DATA_DIR / "static"  # noqa: F405
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise warns if it is missing
WHITENOISE_AUTOREFRESH = True  # looks files up when asked for, instead of listing all of them for each test client
DATABASES["default"]["CONN_MAX_AGE"] = 0  # noqa: F405
ASSENT_DECISION_CACHE_ENTRIES = 0  # tests swap engines under one name
ASSENT_RBAC_REFRESH_MS = 0  # tests must not see the roles of earlier tests
ASSENT_WITNESS_TIMEOUT_MS = ASSENT_ENGINE_TIMEOUT_MS = 60_000  # a slow machine must not fail a test
ACCOUNT_RATE_LIMITS = {"login": "9999/m/ip", "login_failed": "99/m/key"}  # tests share a cache and an address
