"""How people sign in to the console: limits on attempts, sessions, and the libraries that do it (django-allauth)."""

from governance.config import environment as env

AUTHENTICATION_BACKENDS = ["governance.console.signin.backend.ConsoleBackend"]
LOGIN_REDIRECT_URL = "admin:index"

#: How many proxies before this server are trusted to add to X-Forwarded-For; 0 ignores that header.
ASSENT_TRUSTED_PROXIES = env.integer("ASSENT_TRUSTED_PROXIES", 0, least=0)
ALLAUTH_TRUSTED_PROXY_COUNT = ASSENT_TRUSTED_PROXIES

#: Wrong passwords and codes in `ASSENT_SIGNIN_WINDOW_MINUTES`, for one account and from one address.
ASSENT_SIGNIN_FAILURES_PER_ACCOUNT = env.integer("ASSENT_SIGNIN_FAILURES_PER_ACCOUNT", 10)
ASSENT_SIGNIN_FAILURES_PER_ADDRESS = env.integer("ASSENT_SIGNIN_FAILURES_PER_ADDRESS", 30)
ASSENT_SIGNIN_WINDOW_MINUTES = env.integer("ASSENT_SIGNIN_WINDOW_MINUTES", 15)
_WINDOW = f"{ASSENT_SIGNIN_WINDOW_MINUTES}m"

ACCOUNT_ADAPTER = "governance.console.signin.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PRESERVE_USERNAME_CASING = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_FORMS = {
    "login": "governance.console.signin.forms.SignInForm",
    "reauthenticate": "governance.console.signin.forms.PasswordAgainForm",
}
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": (
        f"{ASSENT_SIGNIN_FAILURES_PER_ACCOUNT}/{_WINDOW}/key,{ASSENT_SIGNIN_FAILURES_PER_ADDRESS}/{_WINDOW}/ip"
    ),
}

#: A session ends this long after the sign-in, and after this long without a request.
ASSENT_SESSION_HOURS = env.integer("ASSENT_SESSION_HOURS", 12, most=24)
ASSENT_SESSION_IDLE_MINUTES = env.integer("ASSENT_SESSION_IDLE_MINUTES", 60, most=24 * 60)
SESSION_COOKIE_AGE = ASSENT_SESSION_HOURS * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"

#: `required`: whoever can widen what is allowed signs in with a second factor. Production refuses `optional`.
ASSENT_SECOND_FACTOR = env.choice("ASSENT_SECOND_FACTOR", "required", ("required", "optional"))
MFA_ADAPTER = "governance.console.signin.adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses play no part in signing in
MFA_TOTP_ISSUER = "Assent"
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_FORMS = {
    "authenticate": "governance.console.signin.forms.CodeForm",
    "reauthenticate": "governance.console.signin.forms.CodeAgainForm",
    "activate_totp": "governance.console.signin.forms.FirstCodeForm",
    "authenticate_webauthn": "governance.console.signin.forms.KeyForm",
    "reauthenticate_webauthn": "governance.console.signin.forms.KeyAgainForm",
    "add_webauthn": "governance.console.signin.forms.NewKeyForm",
    "edit_webauthn": "governance.console.signin.forms.KeyNameForm",
}
