"""Codes of an authenticator app (TOTP, RFC 6238; HOTP, RFC 4226 section 5.3), made without the product's library."""

import base64
import hmac
import re
import time


def code_of(secret: str, *, at: float | None = None) -> str:
    """Return the six digits that an app with this secret (base32) shows at a moment, now by default."""
    counter = int((time.time() if at is None else at) // 30)
    digest = hmac.digest(base64.b32decode(secret), counter.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    return f"{(int.from_bytes(digest[offset : offset + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"


def secret_on(page: str) -> str:
    """Return the secret that a page shows for typing in."""
    found = re.search(r'<code class="as-code">([A-Z2-7]{32})</code>', page)
    assert found, page
    return found[1]
