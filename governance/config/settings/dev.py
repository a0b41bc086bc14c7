"""Settings for one machine: development, `make demo` and `make run`. For production use `prod.py`."""

from governance.config import environment as env
from governance.config.settings.base import *  # noqa: F403

SECRET_KEY = "development-only-not-a-secret"  # noqa: S105
ASSENT_KEY_PASSPHRASE = "development-only-not-a-secret"  # noqa: S105
ASSENT_ALLOW_DEVELOPMENT_KEYS = True
ASSENT_ALLOW_UNREVIEWED_POLICY = True
ASSENT_REVIEW_PERCENT = 0
# Unsafe, and refused in production: the demo has to work without anybody's phone.
ASSENT_SECOND_FACTOR = env.choice("ASSENT_SECOND_FACTOR", "optional", ("required", "optional"))
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True  # http://localhost
