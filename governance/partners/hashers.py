"""How client secrets are hashed."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class ClientSecretHasher(PBKDF2PasswordHasher):
    """PBKDF2 with few rounds, for secrets of 256 random bits only.

    Slow hashing protects passwords that people choose; nobody can guess 256 random bits, while a slow hash at the
    token endpoint would let anybody exhaust the server.
    """

    algorithm = "client_secret_pbkdf2_sha256"
    iterations = 1000
