"""Serves receipts: one file with its proof, or, for a few seconds, without the proof that is still to come."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from governance.api.schema import problems

View = TypeVar("View", bound=Callable[..., object])

#: Seconds until asking again is worth while: entries get under a checkpoint within two at rest.
RETRY_SECONDS = 2
SUMMARY = "Fetch the receipt"


class SignatureSerializer(serializers.Serializer[object]):
    """A signature over the payload's pre-authentication encoding."""

    keyid = serializers.CharField()
    sig = serializers.CharField(help_text="Base64.")


class EnvelopeSerializer(serializers.Serializer[object]):
    """A DSSE envelope (DSSE 1.0.2) with an in-toto statement as its payload."""

    payloadType = serializers.CharField()  # noqa: N815
    payload = serializers.CharField(help_text="Base64.")
    signatures = SignatureSerializer(many=True)


class ReceiptSerializer(serializers.Serializer[object]):
    """A receipt file (docs/receipts.md): keep it unchanged; `python -m governance.transparency.verifier` checks it."""

    format = serializers.ChoiceField(choices=["assent-receipt/1"])
    envelope = EnvelopeSerializer()
    entry = serializers.CharField(help_text="Base64 of the ledger entry that holds the envelope's SHA-256.")
    included_by = serializers.CharField(
        allow_null=True, help_text="Until when the log promises the proof (RFC 3339); null on statements without one."
    )
    proof = serializers.CharField(
        allow_null=True, help_text="Proof file (c2sp.org/tlog-proof@v1); null until the entry is under a checkpoint."
    )


def receipt_schema(*, operation_id: str, tag: str, codes: tuple[str, ...]) -> Callable[[View], View]:
    """Return the decorator that describes an endpoint of receipts."""
    described: Callable[[View], View] = extend_schema(
        operation_id=operation_id,
        tags=[tag],
        summary=SUMMARY,
        responses=OpenApiResponse(ReceiptSerializer, description="The receipt, with its proof or the promise of one."),
        parameters=[
            OpenApiParameter(
                "Retry-After",
                int,
                OpenApiParameter.HEADER,
                response=[200],
                description="Seconds after which to ask again; only while the proof is still to come.",
            ),
            OpenApiParameter("Content-Disposition", str, OpenApiParameter.HEADER, response=[200]),
        ],
        extensions=problems(*codes, "receipt_missing", "log_incomplete"),
    )
    return described


def receipt_response(document: Mapping[str, object], name: str) -> Response:
    """Return a receipt file; one without a proof says when to ask again, and is not cached."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.receipt.json"',
        "Cache-Control": "private, no-cache",
    }
    if document["proof"] is None:
        headers |= {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"}
    return Response(document, headers=headers)
