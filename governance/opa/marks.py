"""Marks of our own questions, by which the log of an OPA server shows what somebody else asked it.

Facts never enter a log, so that a question is known by the digest that its asker claims. Only who has the secret of
this installation can mark a digest, and every mark is used once.
"""

import hmac

from django.conf import settings
from django.utils.crypto import salted_hmac

from governance.kernel.ids import new_token

_SALT = "governance.opa.marks"
_NONCE_BYTES = 16


def new_mark(facts_sha256: str) -> str:
    """Return the mark of one question about facts with this digest: a number used once, and its code."""
    nonce = new_token(_NONCE_BYTES)
    return f"{nonce}.{_code(nonce, facts_sha256, settings.SECRET_KEY)}"


def number_of(mark: str, *, facts_sha256: str) -> str:
    """Return the number in a mark that we made for this digest; empty for any other text."""
    nonce, _, code = mark.partition(".")
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    known = any(hmac.compare_digest(_code(nonce, facts_sha256, secret).encode(), code.encode()) for secret in secrets)
    return nonce if known else ""


def _code(nonce: str, facts_sha256: str, secret: str | bytes) -> str:
    return salted_hmac(_SALT, f"{nonce}.{facts_sha256}", secret=secret, algorithm="sha256").hexdigest()
