"""What the provider says of whoever signed in."""

import json

from django.conf import settings
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.common import Request


class ClaimsValidator(OAuth2Validator):  # type: ignore[misc]
    """Puts the claims of a person's file into the ID token, whatever the scopes."""

    oidc_claim_scope = None

    def get_additional_claims(self, request: Request) -> dict[str, object]:
        """Return the claims of the person."""
        claims: dict[str, object] = json.loads(
            (settings.CLAIMS_DIRECTORY / f"{request.user.username}.json").read_text()
        )
        return claims
