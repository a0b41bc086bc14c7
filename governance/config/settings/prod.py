"""Settings for production. Refuses to start with anything unsafe, and lists everything that is."""

from governance.config import environment as env
from governance.config.production import refuse_unsafe
from governance.config.settings.base import *  # noqa: F403

ASSENT_DATABASE_ROLE = env.choice("ASSENT_DATABASE_ROLE", "application", ("application", "owner"))
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
# Browsers take cookies of these names from this host only, over TLS (RFC 6265bis, section 4.1.3.2).
SESSION_COOKIE_NAME = "__Host-assent-session"
CSRF_COOKIE_NAME = "__Host-assent-csrf"
STORAGES["staticfiles"] = {  # noqa: F405
    "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
}
WHITENOISE_USE_FINDERS = False

refuse_unsafe(
    secret_key=SECRET_KEY,  # noqa: F405
    key_passphrase=ASSENT_KEY_PASSPHRASE,  # noqa: F405
    key_store=ASSENT_KEY_STORE,  # noqa: F405
    kms_region=ASSENT_KMS_REGION if ASSENT_KEY_PROVIDER == "aws-kms" else None,  # noqa: F405
)
