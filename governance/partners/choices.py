"""Closed vocabularies of the partners area."""

from django.db.models import TextChoices


class PartnerStatus(TextChoices):
    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"


class KeyAlgorithm(TextChoices):
    """How assertions are signed (RFC 7518 section 3.1, RFC 8037): one algorithm for each type of key."""

    ES256 = "ES256", "ECDSA on P-256"
    EDDSA = "EdDSA", "Ed25519"
    RS256 = "RS256", "RSA"
