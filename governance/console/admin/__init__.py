"""Every table of the console, by area."""

from governance.console.admin import (
    accounts,
    audit,
    catalog,
    clients,
    consent,
    creators,
    decisions,
    jobs,
    moderation,
    partners,
    registry,
    rulebook,
)

__all__ = [
    "accounts",
    "audit",
    "catalog",
    "clients",
    "consent",
    "creators",
    "decisions",
    "jobs",
    "moderation",
    "partners",
    "registry",
    "rulebook",
]
