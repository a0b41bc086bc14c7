"""DSSE v1.0.2: signed envelopes around typed bytes.

The specification is github.com/secure-systems-lab/dsse, files protocol.md and envelope.md.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime

from governance.kernel.canonical import canonical_json
from governance.kernel.errors import InvalidInput
from governance.kernel.json_reading import read_json_object
from governance.kernel.parsing import parse_list, parse_object, parse_text
from governance.keys.ring import KeyPurpose, KeyRing, Signature, SignatureInvalid

IN_TOTO_PAYLOAD_TYPE = "application/vnd.in-toto+json"
_URL_SAFE_TO_STANDARD = str.maketrans("-_", "+/")


class EnvelopeMalformed(InvalidInput):
    """Bytes are not a DSSE envelope."""

    code = "envelope_malformed"


@dataclass(frozen=True, slots=True)
class EnvelopeSignature:
    """One signature of an envelope; `key_id` is a hint for which key to try."""

    key_id: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload, its type and the signatures over both."""

    payload_type: str
    payload: bytes
    signatures: tuple[EnvelopeSignature, ...]

    def to_json(self) -> str:
        """Return the envelope as canonical JSON text (RFC 8785), so that the same envelope has one form."""
        document = {
            "payloadType": self.payload_type,
            "payload": _base64(self.payload),
            "signatures": [{"keyid": each.key_id, "sig": _base64(each.value)} for each in self.signatures],
        }
        return canonical_json(document).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> "Envelope":
        """Read an envelope; standard and URL-safe base64 are taken, unknown members ignored (envelope.md).

        Raises EnvelopeMalformed, also for a name that occurs twice in an object: readers might disagree on it.
        """
        try:
            document = read_json_object(text)
            return cls(
                payload_type=parse_text(document["payloadType"]),
                payload=_unbase64(document["payload"]),
                signatures=tuple(_signature_from(each) for each in parse_list(document["signatures"])),
            )
        except (ValueError, LookupError) as error:
            raise EnvelopeMalformed(f"This is not a DSSE envelope: {error}.") from error


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that are signed: the pre-authentication encoding (protocol.md, "Signature Definition")."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign_envelope(*, key_ring: KeyRing, purpose: KeyPurpose, payload_type: str, payload: bytes) -> Envelope:
    """Return an envelope around `payload`, signed by the newest key of `purpose`. Raises KeyUnavailable."""
    signature = key_ring.sign(purpose=purpose, message=pae(payload_type, payload))
    return Envelope(payload_type, payload, (EnvelopeSignature(signature.key_id, signature.value),))


def verify_envelope(
    *,
    key_ring: KeyRing,
    purpose: KeyPurpose,
    envelope: Envelope,
    expected_payload_type: str,
    at: datetime | None = None,
) -> bytes:
    """Return the payload once one signature of it is accepted (protocol.md, "Multi-signature Verification", t = 1).

    `at` is when it was signed (see KeyRing.verify). Raises SignatureInvalid with the reason why the first signature
    was not accepted, or EnvelopeMalformed when there is none or the payload type is another than expected.
    """
    if envelope.payload_type != expected_payload_type:
        raise EnvelopeMalformed(f"The payload type is {envelope.payload_type!r}, not {expected_payload_type!r}.")
    message = pae(envelope.payload_type, envelope.payload)
    refusals: list[SignatureInvalid] = []
    for each in envelope.signatures:
        try:
            algorithm = key_ring.public_key(each.key_id).algorithm
            signature = Signature(key_id=each.key_id, algorithm=algorithm, value=each.value)
            key_ring.verify(purpose=purpose, message=message, signature=signature, at=at)
        except SignatureInvalid as refusal:
            refusals.append(refusal)
        else:
            return envelope.payload
    raise refusals[0] if refusals else EnvelopeMalformed("The envelope carries no signature.")


def _signature_from(entry: object) -> EnvelopeSignature:
    signature = parse_object(entry)
    return EnvelopeSignature(key_id=parse_text(signature.get("keyid", "")), value=_unbase64(signature["sig"]))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unbase64(value: object) -> bytes:
    try:
        return base64.b64decode(parse_text(value).translate(_URL_SAFE_TO_STANDARD), validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from error
