"""Forms and answers of the token endpoints."""

from rest_framework import serializers

from governance.kernel.vocabulary import PURPOSE_CHOICES, TOKEN_ACTION_CHOICES
from governance.partners.assertions import ASSERTION_TYPE
from governance.partners.models import Partner
from governance.partners.types import DETAILS_TYPE, TokenGrant


class AuthorizationDetailSerializer(serializers.Serializer[object]):
    """What a token covers (RFC 9396 section 2). An absent list of models or datasets means any."""

    type = serializers.ChoiceField(choices=[DETAILS_TYPE])
    actions = serializers.ListField(child=serializers.ChoiceField(choices=TOKEN_ACTION_CHOICES))
    purposes = serializers.ListField(child=serializers.ChoiceField(choices=PURPOSE_CHOICES))
    models = serializers.ListField(child=serializers.SlugField(), required=False)
    datasets = serializers.ListField(child=serializers.SlugField(), required=False)


class ClientFieldsSerializer(serializers.Serializer[object]):
    """The client's credentials, for clients that cannot send them in the Authorization header."""

    client_id = serializers.CharField(required=False)
    client_secret = serializers.CharField(required=False)
    client_assertion_type = serializers.ChoiceField(choices=[ASSERTION_TYPE], required=False)
    client_assertion = serializers.CharField(
        required=False,
        help_text=(
            "Instead of a secret (RFC 7523): a JWT signed by a registered key; iss and sub are the client's id, aud "
            "the URL of the token endpoint, exp is at most 5 minutes ahead, iat is there, jti was never used."
        ),
    )


class TokenRequestSerializer(ClientFieldsSerializer):
    """A token request (RFC 6749 section 4.4.2)."""

    grant_type = serializers.ChoiceField(choices=["client_credentials"])
    scope = serializers.CharField(
        required=False, help_text="Actions, separated by blanks; without it, all that the client may do."
    )
    authorization_details = serializers.CharField(
        required=False,
        help_text=(
            f"JSON array with one object of the type `{DETAILS_TYPE}` (RFC 9396): each of the lists `actions`, "
            "`purposes`, `models` and `datasets` is optional and narrows what the client may have. Nothing widens it."
        ),
    )


class TokenResponseSerializer(serializers.Serializer[object]):
    """A token (RFC 6749 section 5.1, RFC 9396 section 7)."""

    access_token = serializers.CharField()
    token_type = serializers.ChoiceField(choices=["Bearer"])
    expires_in = serializers.IntegerField(help_text="Seconds.")
    scope = serializers.CharField()
    authorization_details = AuthorizationDetailSerializer(many=True)


class OAuthErrorSerializer(serializers.Serializer[object]):
    """An error of the token endpoints (RFC 6749 section 5.2)."""

    error = serializers.CharField()
    error_description = serializers.CharField(required=False)
    request_id = serializers.CharField()


class TokenFormSerializer(ClientFieldsSerializer):
    """A token to examine or to revoke (RFC 7662 section 2.1, RFC 7009 section 2.1)."""

    token = serializers.CharField()
    token_type_hint = serializers.CharField(required=False)


class IntrospectionSerializer(serializers.Serializer[object]):
    """What a token permits (RFC 7662 section 2.2); only `active` unless it is live and of the same partner."""

    active = serializers.BooleanField()
    scope = serializers.CharField(required=False)
    client_id = serializers.CharField(required=False)
    token_type = serializers.ChoiceField(choices=["Bearer"], required=False)
    exp = serializers.IntegerField(required=False, help_text="Seconds since 1970-01-01 UTC.")
    iat = serializers.IntegerField(required=False, help_text="Seconds since 1970-01-01 UTC.")
    authorization_details = AuthorizationDetailSerializer(many=True, required=False)


class PartnerSerializer(serializers.Serializer[Partner]):
    """The partner that a token belongs to."""

    slug = serializers.SlugField()
    name = serializers.CharField()
    region = serializers.CharField()
    tier = serializers.SlugField(source="tier.slug")


class OwnTokenSerializer(serializers.Serializer[TokenGrant]):
    """What the token of this request covers."""

    partner = PartnerSerializer()
    client_id = serializers.CharField(source="client.client_id")
    expires_at = serializers.DateTimeField()
    scope = serializers.SerializerMethodField()
    authorization_details = AuthorizationDetailSerializer(many=True, source="coverage.to_details")

    def get_scope(self, grant: TokenGrant) -> str:
        """Return the actions, separated by blanks."""
        return " ".join(sorted(grant.actions))
