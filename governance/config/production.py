"""Checks that production refuses to start without."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

from governance.config.environment import words
from governance.kernel.json_reading import read_json

DEFAULT_PASSWORDS = frozenset({"", "admin", "assent", "changeme", "password", "postgres", "secret"})
DEVELOPMENT_VALUE = "development-only-not-a-secret"
SECRET_LENGTH = 32


def refuse_unsafe(*, secret_key: str, key_passphrase: str, key_store: Path, kms_region: str | None = None) -> None:
    """Raise ImproperlyConfigured that names every unsafe or missing setting; return when there is none.

    `kms_region` is given where AWS KMS keeps the keys: a key file is then only checked if it exists.
    """
    faults = [*_environment_faults(), *_secret_faults("ASSENT_SECRET_KEY", secret_key)]
    if kms_region is None or key_store.exists():
        faults += _secret_faults("ASSENT_KEY_PASSPHRASE", key_passphrase)
        faults += _key_store_faults(key_store)
    if kms_region == "":
        faults.append("ASSENT_KMS_REGION is missing; name the region of the keys, such as eu-central-1.")
    if faults:
        raise ImproperlyConfigured("Assent refuses to start in production:\n- " + "\n- ".join(faults))


def _environment_faults() -> Iterator[str]:
    if os.environ.get("DEBUG", "").lower() not in ("", "0", "false", "no"):
        yield "DEBUG is set; unset it."
    hosts = words("ASSENT_ALLOWED_HOSTS")
    if "*" in hosts:
        yield "ASSENT_ALLOWED_HOSTS allows every host; name the hosts that this server answers for."
    if not hosts:
        yield "ASSENT_ALLOWED_HOSTS is missing; name the hosts that this server answers for."
    if not os.environ.get("ASSENT_LOG_ORIGIN"):
        yield "ASSENT_LOG_ORIGIN is missing; give the log a permanent, unique name, such as log.example.com/assent."
    if os.environ.get("ASSENT_SECOND_FACTOR", "") == "optional":
        yield "ASSENT_SECOND_FACTOR is optional; unset it: whoever can widen what is allowed needs a second factor."
    yield from _sso_faults()
    yield from _worm_faults()
    yield from _url_faults("DATABASE_URL")
    yield from _url_faults("REDIS_URL")


def _sso_faults() -> Iterator[str]:
    issuer = os.environ.get("ASSENT_OIDC_ISSUER", "")
    if not issuer:
        if os.environ.get("ASSENT_LOCAL_LOGIN", "") == "off":
            yield "ASSENT_LOCAL_LOGIN is off without ASSENT_OIDC_ISSUER: nobody could log in."
        return
    if urlsplit(issuer).scheme != "https":
        yield "ASSENT_OIDC_ISSUER is not https; whoever is on the way could sign in as anybody."
    for name in ("ASSENT_OIDC_CLIENT_ID", "ASSENT_OIDC_CLIENT_SECRET"):
        if not os.environ.get(name):
            yield f"{name} is missing; the identity provider gives it."


def _worm_faults() -> Iterator[str]:
    if os.environ.get("ASSENT_WORM_STORE", "") != "s3":
        return
    if not os.environ.get("ASSENT_WORM_S3_BUCKET"):
        yield "ASSENT_WORM_S3_BUCKET is missing; name a bucket with Object Lock."
    endpoint = os.environ.get("ASSENT_WORM_S3_ENDPOINT", "")
    if endpoint and urlsplit(endpoint).scheme != "https":
        yield "ASSENT_WORM_S3_ENDPOINT is not https; credentials and evidence would be sent unencrypted."


def _url_faults(name: str) -> Iterator[str]:
    url = os.environ.get(name, "")
    if not url:
        yield f"{name} is missing."
    elif (_password(url) or "") in DEFAULT_PASSWORDS:
        yield f"{name} has no password or a default password; set a real one."


def _password(url: str) -> str | None:
    if url.startswith(("postgres:", "postgresql:")):
        password = conninfo_to_dict(url).get("password")
        return str(password) if password else None
    return urlsplit(url).password


def _secret_faults(name: str, value: str) -> Iterator[str]:
    if not value:
        yield f"{name} is missing; set at least {SECRET_LENGTH} random characters."
    elif value == DEVELOPMENT_VALUE or value.lower() in DEFAULT_PASSWORDS:
        yield f"{name} is a development or default value; set at least {SECRET_LENGTH} random characters."
    elif len(value) < SECRET_LENGTH:
        yield f"{name} is too short; set at least {SECRET_LENGTH} random characters."


def _key_store_faults(key_store: Path) -> Iterator[str]:
    if not key_store.exists():
        if sys.argv[1:3] == ["keys", "init"]:  # this command creates the store, so it starts without one
            return
        yield f"ASSENT_KEY_STORE names no file ({key_store}); create one with 'manage.py keys init'."
    elif '"dev-' in json.dumps(read_json(key_store.read_bytes())):
        yield f"ASSENT_KEY_STORE ({key_store}) holds a development key; create a separate store for production."
