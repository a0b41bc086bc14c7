"""What production refuses to start with."""

import json
import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from governance.config.production import refuse_unsafe

GOOD_SECRET = "k3Jd9sLq0vXwZ8yB2nM5rT7uP1cF4hGa"
SAFE_ENVIRONMENT = {
    "ASSENT_ALLOWED_HOSTS": "assent.example",
    "ASSENT_LOG_ORIGIN": "assent.example/log",
    "DATABASE_URL": "postgresql://app:Zx81-long-enough@db.example/assent",
    "REDIS_URL": "redis://:Zx82-long-enough@broker.example:6379/0",
    "DEBUG": "",
}


@pytest.fixture
def key_store(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [{"key_id": "0123456789abcdef"}]}))
    return path


@pytest.fixture(autouse=True)
def safe_environment(monkeypatch):
    for name, value in SAFE_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def refusal(key_store, *, secret_key=GOOD_SECRET, key_passphrase=GOOD_SECRET):
    with pytest.raises(ImproperlyConfigured) as caught:
        refuse_unsafe(secret_key=secret_key, key_passphrase=key_passphrase, key_store=key_store)
    return str(caught.value)


def test_a_safe_configuration_is_accepted(key_store):
    refuse_unsafe(secret_key=GOOD_SECRET, key_passphrase=GOOD_SECRET, key_store=key_store)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "1"),
        ("ASSENT_ALLOWED_HOSTS", ""),
        ("ASSENT_ALLOWED_HOSTS", "*"),
        ("ASSENT_ALLOWED_HOSTS", "assent.example, *"),
        ("ASSENT_LOG_ORIGIN", ""),
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "postgresql://app:postgres@db.example/assent"),
        ("DATABASE_URL", "postgresql://app@db.example/assent"),
        ("REDIS_URL", ""),
        ("REDIS_URL", "redis://broker.example:6379/0"),
        ("ASSENT_SECOND_FACTOR", "optional"),
        ("ASSENT_LOCAL_LOGIN", "off"),
        ("ASSENT_OIDC_ISSUER", "http://id.example"),
    ],
)
def test_an_unsafe_variable_is_named(monkeypatch, key_store, name, value):
    monkeypatch.setenv(name, value)
    assert name in refusal(key_store)


def test_single_sign_on_needs_a_client(monkeypatch, key_store):
    monkeypatch.setenv("ASSENT_OIDC_ISSUER", "https://id.example")
    said = refusal(key_store)
    assert ("ASSENT_OIDC_CLIENT_ID" in said, "ASSENT_OIDC_CLIENT_SECRET" in said) == (True, True)


@pytest.mark.parametrize("value", ["", "short", "changeme", "development-only-not-a-secret"])
def test_a_missing_short_or_default_secret_is_named(key_store, value):
    assert "ASSENT_SECRET_KEY" in refusal(key_store, secret_key=value)
    assert "ASSENT_KEY_PASSPHRASE" in refusal(key_store, key_passphrase=value)


def test_a_missing_key_store_is_named(tmp_path):
    assert "ASSENT_KEY_STORE" in refusal(tmp_path / "none.json")


def test_the_command_that_makes_the_store_may_start_without_one(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.argv", ["manage.py", "keys", "init"])
    refuse_unsafe(secret_key=GOOD_SECRET, key_passphrase=GOOD_SECRET, key_store=tmp_path / "none.json")
    monkeypatch.setattr("sys.argv", ["manage.py", "keys", "list"])
    assert "ASSENT_KEY_STORE" in refusal(tmp_path / "none.json")


def test_a_development_key_is_named(key_store):
    key_store.write_text(json.dumps({"keys": [{"key_id": "dev-0123456789abcdef"}]}))
    assert "development key" in refusal(key_store)


def test_all_faults_are_named_at_once(monkeypatch, tmp_path):
    monkeypatch.setenv("DEBUG", "true")
    monkeypatch.setenv("REDIS_URL", "")
    message = refusal(tmp_path / "none.json", secret_key="")
    assert all(name in message for name in ("DEBUG", "REDIS_URL", "ASSENT_SECRET_KEY", "ASSENT_KEY_STORE"))


@pytest.mark.parametrize("module", ["governance.config.wsgi", "governance.config.celery"])
def test_a_server_process_without_settings_runs_with_production_settings(module):
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    code = f"import os\ntry:\n    import {module}\nfinally:\n    print(os.environ['DJANGO_SETTINGS_MODULE'])"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "governance.config.settings.prod"


def test_with_kms_no_key_file_is_needed(tmp_path):
    refuse_unsafe(
        secret_key=GOOD_SECRET, key_passphrase="", key_store=tmp_path / "none.json", kms_region="eu-central-1"
    )


def test_with_kms_a_key_file_that_is_still_there_must_be_safe(key_store):
    with pytest.raises(ImproperlyConfigured, match="ASSENT_KEY_PASSPHRASE is missing"):
        refuse_unsafe(secret_key=GOOD_SECRET, key_passphrase="", key_store=key_store, kms_region="eu-central-1")


def test_with_kms_the_region_is_needed(tmp_path):
    with pytest.raises(ImproperlyConfigured, match="ASSENT_KMS_REGION is missing"):
        refuse_unsafe(secret_key=GOOD_SECRET, key_passphrase="", key_store=tmp_path / "none.json", kms_region="")


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({}, "ASSENT_WORM_S3_BUCKET is missing"),
        (
            {"ASSENT_WORM_S3_BUCKET": "evidence", "ASSENT_WORM_S3_ENDPOINT": "http://s3.example"},
            "ASSENT_WORM_S3_ENDPOINT is not https",
        ),
    ],
)
def test_an_unsafe_worm_store_is_named(monkeypatch, key_store, settings, fault):
    for name, value in ({"ASSENT_WORM_STORE": "s3"} | settings).items():
        monkeypatch.setenv(name, value)
    assert fault in refusal(key_store)


def test_a_safe_worm_store_is_accepted(monkeypatch, key_store):
    for name, value in {
        "ASSENT_WORM_STORE": "s3",
        "ASSENT_WORM_S3_BUCKET": "evidence",
        "ASSENT_WORM_S3_ENDPOINT": "https://s3.example",
    }.items():
        monkeypatch.setenv(name, value)
    refuse_unsafe(secret_key=GOOD_SECRET, key_passphrase=GOOD_SECRET, key_store=key_store)
