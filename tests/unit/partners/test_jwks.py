"""Which public keys are taken."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from governance.partners.errors import ClientKeyInvalid
from governance.partners.jwks import is_signed, read_public_key
from tests.factories.assertions import private_key, public_jwk

ALGORITHMS = ["ES256", "EdDSA", "RS256"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_public_key_is_read_with_its_one_algorithm(algorithm: str) -> None:
    read = read_public_key(public_jwk(algorithm, private_key(algorithm), use="sig", alg=algorithm))

    assert read.algorithm == algorithm
    assert read.kid == read.thumbprint
    assert "use" not in read.jwk


def test_the_thumbprint_is_that_of_the_standard() -> None:
    """RFC 7638 section 3.1."""
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhM"
        "stn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )

    read = read_public_key({"kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"})

    assert (read.kid, read.thumbprint) == ("2011-04-29", "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"d": "AQAB"}, "private or shared key"),
    ({"kty": "oct", "k": "AQAB"}, "private or shared key"),
    ({"kty": "oct"}, "of the type EC"),
    ({"kty": "EC", "crv": "P-384"}, "of the type EC"),
    ({"kty": "OKP", "crv": "X25519"}, "of the type EC"),
    ({"kty": ["EC"]}, "of the type EC"),
    ({"x5c": ["AA"]}, "do not belong there: x5c"),
    ({"alg": "HS256"}, "signs by ES256"),
    ({"alg": "none"}, "signs by ES256"),
    ({"use": "enc"}, "not for verifying"),
    ({"key_ops": ["sign"]}, "not for verifying"),
    ({"x": 7}, "each a text"),
    ({"x": "AQAB"}, "cannot be read"),
    ({"kid": ""}, "1 to 128 printable"),
    ({"kid": "two words"}, "1 to 128 printable"),
    ({"kid": 7}, "1 to 128 printable"),
]


@pytest.mark.parametrize(("changes", "reason"), REFUSED)
def test_any_other_key_is_refused_with_the_reason(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ClientKeyInvalid, match=reason) as refusal:
        read_public_key(public_jwk("ES256", private_key("ES256")) | changes)
    assert refusal.value.details == {"field": "jwk"}


def test_a_short_rsa_key_is_refused() -> None:
    with pytest.raises(ClientKeyInvalid, match="2048 to 8192 bits"):
        read_public_key(public_jwk("RS256", private_key("RS256", bits=1024)))


def test_a_point_off_the_curve_is_refused() -> None:
    jwk = public_jwk("ES256", ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(ClientKeyInvalid, match="cannot be read"):
        read_public_key(jwk | {"y": jwk["x"]})


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("signature", [b"", b"\0" * 64, b"\xff" * 256])
def test_garbage_is_no_signature(algorithm: str, signature: bytes) -> None:
    read = read_public_key(public_jwk(algorithm, private_key(algorithm)))
    assert not is_signed(algorithm=read.algorithm, jwk=read.jwk, message=b"m", signature=signature)
