"""Authentication of clients by assertions: what is taken, once, and what is not."""

import base64
import hmac
import json
from typing import Any

import pytest

from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.partners.assertions import client_of_assertion
from governance.partners.client_keys import MAX_KEYS, add_key, remove_key
from governance.partners.client_secrets import rotate_secret
from governance.partners.entries import CLIENT
from governance.partners.errors import AssertionInvalid, ClientKeyInvalid, ClientKeysInUse, ClientKeyUnknown
from governance.partners.models import ApiClient, UsedAssertion
from governance.partners.tokens import clear_expired_tokens
from tests.factories.assertions import AUDIENCE, claims, private_key, public_jwk, signed
from tests.factories.audit import newest_data
from tests.factories.partners import ACTOR, client_with_secret, is_newest_secret

pytestmark = pytest.mark.django_db
KEY = private_key("ES256")


@pytest.fixture(autouse=True)
def now() -> Any:
    with clock.using(ManualClock(clock.now())) as manual:
        yield manual


@pytest.fixture
def client() -> ApiClient:
    made, _ = client_with_secret()
    add_key(client=made, jwk=public_jwk("ES256", KEY, kid="first"), actor=ACTOR)
    return made


def taken(assertion: str, *, client_id: str | None = None) -> ApiClient:
    return client_of_assertion(assertion=assertion, client_id=client_id, audiences={AUDIENCE, "http://testserver"})


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_an_assertion_by_a_registered_key_is_taken(algorithm: str) -> None:
    made, _ = client_with_secret()
    key = private_key(algorithm)
    add_key(client=made, jwk=public_jwk(algorithm, key), actor=ACTOR)

    assert taken(signed(algorithm, key, claims(made.client_id))) == made
    assert taken(signed(algorithm, key, claims(made.client_id, aud=["http://testserver"])), client_id=made.client_id)


def test_an_assertion_is_taken_once(client: ApiClient) -> None:
    assertion = signed("ES256", KEY, claims(client.client_id, jti="once"))
    assert taken(assertion) == client

    with pytest.raises(AssertionInvalid, match="used before"):
        taken(assertion)
    with pytest.raises(AssertionInvalid, match="used before"):
        taken(signed("ES256", KEY, claims(client.client_id, jti="once", exp=int(clock.now().timestamp()) + 200)))


def test_a_used_assertion_is_remembered_for_as_long_as_it_could_be_taken(client: ApiClient, now: ManualClock) -> None:
    start = int(now.now().timestamp())
    assertion = signed("ES256", KEY, claims(client.client_id, iat=start + 29, exp=start + 329))
    assert taken(assertion)
    now.advance(seconds=328)
    clear_expired_tokens()
    with pytest.raises(AssertionInvalid, match="used before"):
        taken(assertion)

    now.advance(seconds=100)
    clear_expired_tokens()
    assert not UsedAssertion.objects.exists()
    with pytest.raises(AssertionInvalid, match="expired"):
        taken(assertion)


def at(seconds: int) -> int:
    return int(clock.now().timestamp()) + seconds


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "other"}, "iss and sub"),
        ({"sub": "other"}, "iss and sub"),
        ({"iss": None, "sub": None}, "iss and sub"),
        ({"iss": 7, "sub": 7}, "iss and sub"),
        ({"iss": "ghost", "sub": "ghost"}, "not signed by a key"),
        ({"iss": "nul\0", "sub": "nul\0"}, "not signed by a key"),
        ({"aud": None}, "claim aud"),
        ({"aud": "https://elsewhere.example"}, "claim aud"),
        ({"aud": [AUDIENCE, "https://elsewhere.example"]}, "claim aud"),
        ({"aud": []}, "claim aud"),
        ({"aud": {"a": 1}}, "claim aud"),
        ({"aud": [["x"]]}, "claim aud"),
        ({"exp": None}, "claim exp"),
        ({"exp": "soon"}, "claim exp"),
        ({"exp": True}, "claim exp"),
        ({"iat": None}, "claim iat"),
        ({"jti": None}, "claim jti"),
        ({"jti": ""}, "claim jti"),
        ({"jti": 7}, "claim jti"),
        ({"jti": "x" * 257}, "claim jti"),
    ],
)
def test_each_claim_is_checked(client: ApiClient, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(AssertionInvalid, match=reason):
        taken(signed("ES256", KEY, claims(client.client_id, **changes)))


@pytest.mark.parametrize(
    ("issued", "expires", "reason"),
    [
        (-60, 0, "has expired"),
        (-600, -1, "has expired"),
        (0, 301, "at most 5 minutes"),
        (29, 400, "at most 5 minutes"),
        (-300, 60, "at most 5 minutes"),
        (31, 90, "not valid yet"),
    ],
)
def test_an_assertion_is_short_lived(client: ApiClient, issued: int, expires: int, reason: str) -> None:
    with pytest.raises(AssertionInvalid, match=reason):
        taken(signed("ES256", KEY, claims(client.client_id, iat=at(issued), exp=at(expires))))


def test_an_assertion_for_later_is_refused(client: ApiClient) -> None:
    with pytest.raises(AssertionInvalid, match="not valid yet"):
        taken(signed("ES256", KEY, claims(client.client_id, nbf=at(60))))


def test_the_id_of_the_request_must_be_the_issuer(client: ApiClient) -> None:
    with pytest.raises(AssertionInvalid, match="iss and sub"):
        taken(signed("ES256", KEY, claims(client.client_id)), client_id="other")


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(client: ApiClient, algorithm: str) -> str:
    head = encoded(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
    return f"{head}.{encoded(json.dumps(claims(client.client_id)).encode())}"


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "ES384", "PS256", "EdDSA", "RS256"])
def test_the_algorithm_is_that_of_the_key_whatever_the_header_says(client: ApiClient, algorithm: str) -> None:
    message = unsigned(client, algorithm)
    public = json.dumps(public_jwk("ES256", KEY, kid="first")).encode()
    for signature in (b"x", hmac.digest(public, message.encode(), "sha256")):
        with pytest.raises(AssertionInvalid, match="not signed by a key"):
            taken(f"{message}.{encoded(signature)}")


def test_the_key_of_another_client_is_refused(client: ApiClient) -> None:
    other, _ = client_with_secret(client.partner)
    theirs = private_key("ES256", name="theirs")
    add_key(client=other, jwk=public_jwk("ES256", theirs), actor=ACTOR)

    with pytest.raises(AssertionInvalid, match="not signed by a key"):
        taken(signed("ES256", theirs, claims(client.client_id)))


@pytest.mark.parametrize(
    "header", [{"jwk": {}}, {"jku": "https://x"}, {"crit": ["exp"]}, {"x5c": []}, {"typ": "at+jwt"}, {"b64": False}]
)
def test_a_header_brings_no_key_and_no_demands(client: ApiClient, header: dict[str, Any]) -> None:
    with pytest.raises(AssertionInvalid, match="has only alg, kid and typ"):
        taken(signed("ES256", KEY, claims(client.client_id), header=header))


@pytest.mark.parametrize("kid", ["second", "", 7, None, ["first"]])
def test_an_unknown_name_of_a_key_is_refused(client: ApiClient, kid: object) -> None:
    with pytest.raises(AssertionInvalid, match="not signed by a key"):
        taken(signed("ES256", KEY, claims(client.client_id), header={"kid": kid}))


def test_json_that_readers_could_understand_differently_is_refused(client: ApiClient) -> None:
    said = json.dumps(claims(client.client_id))
    with pytest.raises(AssertionInvalid, match="claims of the assertion cannot be read"):
        taken(signed("ES256", KEY, f'{{"iss": "other", {said[1:]}'))


@pytest.mark.parametrize("text", ["", "a", "a.b", "a.b.c.d", "a b.c.d", "....", "é.b.c", "x" * 9000, "e30.e30.e30\n"])
def test_what_is_no_assertion_is_refused(client: ApiClient, text: str) -> None:
    with pytest.raises(AssertionInvalid):
        taken(text)


def test_a_second_form_of_the_same_bytes_is_refused(client: ApiClient) -> None:
    assertion = signed("ES256", KEY, claims(client.client_id))
    last = assertion[-1]
    other = {"A": "B", "Q": "R", "g": "h", "w": "x"}[last]
    with pytest.raises(AssertionInvalid, match="only form"):
        taken(assertion[:-1] + other)


def test_keys_are_rotated_by_adding_one_and_removing_the_other(client: ApiClient) -> None:
    fresh = private_key("EdDSA", name="fresh")
    add_key(client=client, jwk=public_jwk("EdDSA", fresh, kid="second"), actor=ACTOR)
    assert taken(signed("ES256", KEY, claims(client.client_id), header={"kid": "first"}))
    assert taken(signed("EdDSA", fresh, claims(client.client_id), header={"kid": "second"}))
    with pytest.raises(AssertionInvalid):
        taken(signed("EdDSA", fresh, claims(client.client_id)))  # which of the two?

    remove_key(client=client, kid="first", actor=ACTOR)

    with pytest.raises(AssertionInvalid):
        taken(signed("ES256", KEY, claims(client.client_id), header={"kid": "first"}))
    said = newest_data("client.key_removed", CLIENT.ref(client))
    assert [key[0] for key in said["before"]["keys"]] == ["first", "second"]
    assert said["after"] == CLIENT.present_state(client)


def test_with_the_first_key_the_secret_ends() -> None:
    made, secret = client_with_secret()
    add_key(client=made, jwk=public_jwk("ES256", KEY), actor=ACTOR)

    kept = ApiClient.objects.get(pk=made.pk)
    assert not is_newest_secret(kept, secret)
    assert newest_data("client.key_added", CLIENT.ref(made))["after"] == CLIENT.present_state(made)
    with pytest.raises(ClientKeysInUse):
        rotate_secret(client=made, earlier_until=None, actor=ACTOR)


def test_the_last_key_stays_and_an_unknown_one_is_told(client: ApiClient) -> None:
    with pytest.raises(ClientKeysInUse):
        remove_key(client=client, kid="first", actor=ACTOR)
    with pytest.raises(ClientKeyUnknown):
        remove_key(client=client, kid="second", actor=ACTOR)


def test_a_key_is_added_once_and_not_without_end(client: ApiClient) -> None:
    with pytest.raises(ClientKeyInvalid, match="has this key"):
        add_key(client=client, jwk=public_jwk("ES256", KEY, kid="again"), actor=ACTOR)
    with pytest.raises(ClientKeyInvalid, match="has this key"):
        add_key(client=client, jwk=public_jwk("EdDSA", private_key("EdDSA"), kid="first"), actor=ACTOR)
    for number in range(MAX_KEYS - 1):
        key = private_key("EdDSA", name=str(number))
        add_key(client=client, jwk=public_jwk("EdDSA", key), actor=ACTOR)
    with pytest.raises(ClientKeyInvalid, match="at most"):
        add_key(client=client, jwk=public_jwk("EdDSA", private_key("EdDSA", name="more")), actor=ACTOR)
