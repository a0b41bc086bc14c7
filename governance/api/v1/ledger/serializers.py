"""How answers about a moment look to partners."""

from rest_framework import serializers

from governance.audit.evidence.state_proof import FORMAT
from governance.audit.recording.asof import Presence

TYPES = ("partner", "tier")


class AsOfQuery(serializers.Serializer[object]):
    """What is asked, and about which moment."""

    type = serializers.ChoiceField(
        choices=TYPES, default="partner", help_text="The partner itself, or the tier that it was in."
    )
    at = serializers.CharField(
        required=False,
        help_text="A date, which means its end in UTC, or a time (RFC 3339). Left out, and for the future: now.",
    )


class StateSerializer(serializers.Serializer[object]):
    """What an object was at a moment, with the ledger entry that says so and its proof (docs/operations/asof.md)."""

    format = serializers.ChoiceField(choices=[FORMAT])
    type = serializers.ChoiceField(choices=TYPES)
    id = serializers.CharField(help_text="How the ledger names the object.")
    name = serializers.CharField(help_text="Its slug then.")
    at = serializers.DateTimeField(help_text="The moment that the answer is about.")
    presence = serializers.ChoiceField(choices=[each.value for each in Presence])
    state = serializers.DictField(
        allow_null=True, help_text="All that the ledger says of it; null unless it was there."
    )
    entry = serializers.CharField(
        allow_null=True, help_text="Base64 of the ledger entry that says so; `data.after` is the state."
    )
    index = serializers.IntegerField(allow_null=True, help_text="The entry's place in the log; null while it waits.")
    proof = serializers.CharField(
        allow_null=True, help_text="Proof file (c2sp.org/tlog-proof@v1); null until the entry is under a checkpoint."
    )
