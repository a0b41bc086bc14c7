"""Every table of the console, by area."""

from governance.console.admin import (
    accounts,
    audit,
    catalog,
    clients,
    consent,
    creators,
    decisions,
    drafts,
    freezes,
    jobs,
    moderation,
    partners,
    registry,
    replays,
    revisions,
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
    "drafts",
    "freezes",
    "jobs",
    "moderation",
    "partners",
    "registry",
    "replays",
    "revisions",
    "rulebook",
]
