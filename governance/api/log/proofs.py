"""Proofs, for clients that do not compute them from tiles."""

from base64 import b64encode

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from governance.api.filters import read_query
from governance.api.log.views import OpenLogView, needed_checkpoint
from governance.api.schema import problems
from governance.audit.errors import LogRangeInvalid
from governance.audit.log.log_reader import consistency_proof, inclusion_proof, root_at, tile
from governance.transparency.merkle import HASH_BYTES
from governance.transparency.tiles import TILE_WIDTH

MOST = 2**63 - 1
CODES = ("log_not_published", "log_range_invalid")
HASH = "A SHA-256 in base64."


class InclusionQuery(serializers.Serializer[object]):
    """The entry and the tree that a proof is about."""

    index = serializers.IntegerField(min_value=0, max_value=MOST, help_text="The entry's place in the log, from 0.")
    size = serializers.IntegerField(
        min_value=1, max_value=MOST, required=False, help_text="The tree; that of the newest checkpoint if left out."
    )


class InclusionProofSerializer(serializers.Serializer[object]):
    """A proof that an entry is in the log (RFC 9162 section 2.1.3)."""

    index = serializers.IntegerField()
    size = serializers.IntegerField()
    leaf_hash = serializers.CharField(help_text=HASH)
    root_hash = serializers.CharField(help_text=HASH)
    proof = serializers.ListField(child=serializers.CharField(help_text=HASH), help_text="From the leaf to the root.")


class ConsistencyQuery(serializers.Serializer[object]):
    """The two trees that a proof is about."""

    first = serializers.IntegerField(min_value=1, max_value=MOST, help_text="Entries of the earlier tree.")
    second = serializers.IntegerField(
        min_value=1, max_value=MOST, required=False, help_text="The later tree; that of the newest checkpoint."
    )


class ConsistencyProofSerializer(serializers.Serializer[object]):
    """A proof that one tree contains all of an earlier one (RFC 9162 section 2.1.4)."""

    first = serializers.IntegerField()
    second = serializers.IntegerField()
    first_root_hash = serializers.CharField(help_text=HASH)
    second_root_hash = serializers.CharField(help_text=HASH)
    proof = serializers.ListField(child=serializers.CharField(help_text=HASH))


class InclusionProofView(OpenLogView):
    """Proofs that an entry is in the log."""

    @extend_schema(
        operation_id="prove_log_inclusion",
        tags=["log"],
        summary="Prove that an entry is in the log",
        parameters=[InclusionQuery],
        responses=InclusionProofSerializer,
        extensions=problems(*CODES),
    )
    def get(self, request: Request) -> Response:
        """Return the audit path of an entry in a published tree. Verify it against a checkpoint."""
        asked = read_query(InclusionQuery, request)
        index, size = asked["index"], _published_size(asked.get("size"))
        proof = inclusion_proof(index=index, size=size)
        number, offset = divmod(index, TILE_WIDTH)
        leaf = tile(0, number, offset + 1)[offset * HASH_BYTES :]
        answer = {"index": index, "size": size, "leaf_hash": _text(leaf), "root_hash": _text(root_at(size))}
        return Response({**answer, "proof": [_text(each) for each in proof]})


class ConsistencyProofView(OpenLogView):
    """Proofs that the log was only appended to."""

    @extend_schema(
        operation_id="prove_log_consistency",
        tags=["log"],
        summary="Prove that the log was only appended to",
        parameters=[ConsistencyQuery],
        responses=ConsistencyProofSerializer,
        extensions=problems(*CODES),
    )
    def get(self, request: Request) -> Response:
        """Return the proof between two published trees. Verify it against two checkpoints."""
        asked = read_query(ConsistencyQuery, request)
        first, second = asked["first"], _published_size(asked.get("second"))
        proof = consistency_proof(first=first, second=second)
        sizes = {"first": first, "second": second}
        roots = {"first_root_hash": _text(root_at(first)), "second_root_hash": _text(root_at(second))}
        return Response({**sizes, **roots, "proof": [_text(each) for each in proof]})


def _published_size(wanted: int | None) -> int:
    published = needed_checkpoint().size
    if wanted is not None and wanted > published:
        message = f"The newest checkpoint covers {published} entries, not {wanted}."
        raise LogRangeInvalid(message, details={"published": published})
    return published if wanted is None else wanted


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")
