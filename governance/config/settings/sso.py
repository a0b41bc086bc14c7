"""Single sign-on to the console by OpenID Connect: which provider, and which of its groups give which roles.

This is configuration of the deployment, on purpose: nobody can change in the console who gets a role by signing in.
"""

from governance.config import environment as env

#: The issuer's URL, where its `/.well-known/openid-configuration` is; empty for no single sign-on.
ASSENT_OIDC_ISSUER = env.text("ASSENT_OIDC_ISSUER")
ASSENT_OIDC_CLIENT_ID = env.text("ASSENT_OIDC_CLIENT_ID")
ASSENT_OIDC_CLIENT_SECRET = env.text("ASSENT_OIDC_CLIENT_SECRET")
#: What the button of the sign-in page says.
ASSENT_OIDC_NAME = env.text("ASSENT_OIDC_NAME", "single sign-on")
ASSENT_OIDC_SCOPES = env.words("ASSENT_OIDC_SCOPES", "openid,profile,email")
#: The claim of the ID token that lists a person's groups, and the roles that each group gives.
ASSENT_OIDC_GROUPS_CLAIM = env.text("ASSENT_OIDC_GROUPS_CLAIM", "groups")
ASSENT_OIDC_ROLES = env.names_by_name("ASSENT_OIDC_ROLES")
#: Values of `amr` or `acr` (OpenID Connect Core 1.0, section 2; RFC 8176) that say a second factor was shown.
ASSENT_OIDC_SECOND_FACTOR = env.words("ASSENT_OIDC_SECOND_FACTOR")
#: `off`: nobody signs in with a password of this installation.
ASSENT_LOCAL_LOGIN = env.choice("ASSENT_LOCAL_LOGIN", "on", ("on", "off"))

SOCIALACCOUNT_ADAPTER = "governance.console.signin.sso_adapter.SsoAccountAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False  # an address never leads to an account
SOCIALACCOUNT_AUTO_SIGNUP = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5
