"""Private keys of clients, and the assertions that they sign."""

import base64
import json
from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from jwt.algorithms import get_default_algorithms

from governance.kernel import clock

AUDIENCE = "http://testserver/api/v1/oauth/token"


@cache
def private_key(algorithm: str, *, bits: int = 2048, name: str = "") -> Any:
    """Return a private key for an algorithm; another `name` is another key."""
    makers = {
        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate,
        "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=bits),
    }
    return makers[algorithm]()


def public_jwk(algorithm: str, key: PrivateKeyTypes, **members: object) -> dict[str, Any]:
    """Return the public part of a key as a JWK."""
    public: Any = key.public_key()
    made: dict[str, Any] = json.loads(get_default_algorithms()[algorithm].to_jwk(public))
    made.pop("key_ops", None)
    return made | members


def claims(client_id: str, **changes: object) -> dict[str, object]:
    """Return the claims of a sound assertion; None takes a claim out."""
    now = int(clock.now().timestamp())
    sound = {
        "iss": client_id, "sub": client_id, "aud": AUDIENCE, "exp": now + 60, "iat": now, "jti": uuid4().hex
    }  # fmt: skip
    return {name: value for name, value in (sound | changes).items() if value is not None}


def signed(
    algorithm: str, key: Any, said: Mapping[str, object] | str, *, header: Mapping[str, object] | None = None
) -> str:
    """Return an assertion as a compact JWS (RFC 7515 section 7.1). `said` may be text, for JSON that is not sound."""
    head = {"alg": algorithm, "typ": "JWT"} | dict(header or {})
    text = said if isinstance(said, str) else json.dumps(said)
    message = f"{_encoded(json.dumps(head).encode())}.{_encoded(text.encode())}"
    by = get_default_algorithms()[algorithm]
    return f"{message}.{_encoded(by.sign(message.encode(), key))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
