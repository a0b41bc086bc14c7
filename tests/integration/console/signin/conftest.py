"""People in front of the sign-in page."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.test import Client

PASSWORD = "correct horse battery staple"
LOGIN = "/admin/login/"


@pytest.fixture(autouse=True)
def own_attempts(settings, private_data):
    """Count the attempts of each test by themselves."""
    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": str(private_data)}}


@pytest.fixture
def ada(db) -> User:
    return User.objects.create_user("ada", password=PASSWORD, is_staff=True)


@pytest.fixture
def attempt(client) -> Callable[..., Any]:
    """Return what sends a name and a password from an address."""

    def send(name: str, password: str, *, address: str = "192.0.2.1", by: Client = client, **more: str) -> Any:
        return by.post(LOGIN, {"login": name, "password": password}, REMOTE_ADDR=address, **more)

    return send


@pytest.fixture
def hashed(monkeypatch) -> list[str]:
    """Return the passwords that were hashed."""
    passwords: list[str] = []
    encode = MD5PasswordHasher.encode

    def spy(self: MD5PasswordHasher, password: str, salt: str) -> str:
        passwords.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", spy)
    return passwords
