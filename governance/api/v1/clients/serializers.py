"""How a partner's own API client looks to it, and the forms about its secret."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from governance.api.v1.tokens.serializers import AuthorizationDetailSerializer, ClientFieldsSerializer
from governance.partners.client_secrets import MAX_OVERLAP, USUAL_OVERLAP, has_earlier_secret
from governance.partners.models import ApiClient, ClientKey
from governance.partners.types import Coverage


class ClientKeySerializer(serializers.ModelSerializer[ClientKey]):
    """A public key that the client authenticates with."""

    class Meta:
        model = ClientKey
        fields = ["kid", "algorithm", "thumbprint", "created_at"]


class OwnClientSerializer(serializers.ModelSerializer[ApiClient]):
    """The client of the request's token."""

    partner = serializers.SlugField(source="partner.slug")
    authorization_details = serializers.SerializerMethodField(help_text="The most that its tokens may cover.")
    secret_set_at = serializers.DateTimeField(allow_null=True, help_text="Null for a client with keys.")
    earlier_secret_until = serializers.SerializerMethodField(
        help_text="Until when the secret before the newest one is good; null if it is not."
    )
    keys = ClientKeySerializer(many=True)

    class Meta:
        model = ApiClient
        fields = [
            "client_id", "name", "partner", "created", "last_used_at", "secret_set_at", "earlier_secret_until", "keys",
            "authorization_details",
        ]  # fmt: skip

    @extend_schema_field(AuthorizationDetailSerializer(many=True))
    def get_authorization_details(self, client: ApiClient) -> object:
        """Return what its tokens may cover."""
        return Coverage.of_client(client).to_details()

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_earlier_secret_until(self, client: ApiClient) -> object:
        """Return the end of the overlap while it lasts."""
        until = client.earlier_secret_until if has_earlier_secret(client) else None
        return serializers.DateTimeField(allow_null=True).to_representation(until) if until else None


class RotationSerializer(ClientFieldsSerializer):
    """Asks for a new secret, by the newest one."""

    overlap_seconds = serializers.IntegerField(
        min_value=0,
        max_value=int(MAX_OVERLAP.total_seconds()),
        default=int(USUAL_OVERLAP.total_seconds()),
        help_text="How long the secret until now goes on; 0 ends it at once.",
    )


class SecretSerializer(serializers.Serializer[object]):
    """A new secret. It cannot be read again."""

    client_id = serializers.CharField()
    client_secret = serializers.CharField()
    earlier_secret_until = serializers.DateTimeField(allow_null=True)


class SecretEndedSerializer(serializers.Serializer[object]):
    """That only the newest secret is good."""

    client_id = serializers.CharField()
    earlier_secret_until = serializers.DateTimeField(allow_null=True)


class RevokedSerializer(serializers.Serializer[object]):
    """How many tokens could still be used."""

    live_tokens = serializers.IntegerField()
