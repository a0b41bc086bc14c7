"""The provider: django-oauth-toolkit with settings, database and keys of its own. It shares no code with the product.

    python -m tests.oidc.provider PORT DIRECTORY REDIRECT_URI

Whoever logs in as NAME with the password NAME is described by `DIRECTORY/NAME.json`: claims of the ID token, read at
each sign-in.
"""

import json
import os
import sys
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

CLIENT_ID, CLIENT_SECRET = "assent", "a secret that both sides know"
LOGIN_PAGE = "<form method=post>{% csrf_token %}{{ form }}<input type=submit></form>"


def configure(issuer: str, directory: Path) -> None:
    """Set Django up as a provider whose issuer is `issuer`."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    loader = ("django.template.loaders.locmem.Loader", {"registration/login.html": LOGIN_PAGE})
    settings.configure(
        SECRET_KEY="the provider of the tests",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="tests.oidc.urls",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "loaders": [loader],
                    "context_processors": ["django.template.context_processors.request"],
                },
            }
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(directory / "provider.sqlite3")}},
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        LOGIN_URL="/login/",
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        CLAIMS_DIRECTORY=directory,
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_ISS_ENDPOINT": issuer,
            "OIDC_RSA_PRIVATE_KEY": pem.decode(),
            "OAUTH2_VALIDATOR_CLASS": "tests.oidc.validator.ClaimsValidator",
            "PKCE_REQUIRED": True,
            "SCOPES": {"openid": "Sign in", "profile": "Names", "email": "Address"},
        },
    )
    django.setup()


def fill(redirect_uri: str, names: list[str]) -> None:
    """Make the tables, the client and the people."""
    from django.contrib.auth.models import User  # noqa: PLC0415 - after the setup
    from oauth2_provider.models import Application  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    Application.objects.create(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        client_type="confidential",
        authorization_grant_type="authorization-code",
        redirect_uris=redirect_uri,
        skip_authorization=True,
        algorithm="RS256",
    )
    for name in names:
        User.objects.create_user(name, password=name)


class Quiet(WSGIRequestHandler):
    """Writes no line for each request."""

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


def main(port: int, directory: Path, redirect_uri: str) -> None:
    """Serve until the process is ended."""
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # plain HTTP on the loopback interface
    configure(f"http://127.0.0.1:{port}/o", directory)
    fill(redirect_uri, json.loads((directory / "people.json").read_text()))
    make_server("127.0.0.1", port, get_wsgi_application(), handler_class=Quiet).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
