"""The sidebar. It only lists what the user may see."""

from dataclasses import dataclass
from typing import Any

from django.db.models.options import Options
from django.http import HttpRequest
from django.urls import reverse

PLAYGROUND = "admin:decisions_decisionrecord_playground"
AS_OF = "admin:audit_ledgerentry_asof"
VERIFY = "admin:audit_receipt_verify"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the sidebar. `permission` is what the user needs to see it."""

    title: str
    icon: str
    url_name: str
    permission: str


def _table(title: str, icon: str, area: str, table: str) -> Entry:
    return Entry(title, icon, f"admin:{area}_{table}_changelist", f"{area}.view_{table}")


GROUPS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "Governance",
        (
            _table("Creators", "palette", "catalog", "creator"),
            _table("Consent levels", "tune", "catalog", "consentlevel"),
            _table("Level proposals", "approval", "catalog", "consentlevelproposal"),
            _table("Consent statements", "history_edu", "catalog", "consentgrant"),
            _table("Datasets", "folder_copy", "catalog", "dataset"),
            _table("Works", "image", "catalog", "asset"),
            _table("Claims", "balance", "catalog", "uploadreview"),
        ),
    ),
    (
        "Policy",
        (
            _table("ABAC rules", "rule", "rulebook", "abacrule"),
            _table("Drafts and review", "rate_review", "rulebook", "policydraft"),
            _table("Policy revisions", "history", "rulebook", "policyrevision"),
            _table("Replays", "replay", "decisions", "replayreport"),
            Entry("Playground", "science", PLAYGROUND, "decisions.view_decisionrecord"),
            _table("Freeze", "ac_unit", "rulebook", "policyfreeze"),
            _table("OPA servers", "dns", "opa", "opaserver"),
            _table("OPA decision logs", "receipt", "opa", "opadecisionlog"),
        ),
    ),
    (
        "Models",
        (
            _table("Models", "neurology", "registry", "model"),
            _table("Model versions", "deployed_code", "registry", "modelversion"),
            _table("Licences", "license", "registry", "licence"),
            _table("Licence proposals", "approval", "registry", "licenceproposal"),
            _table("Moves of models", "move_down", "registry", "modellicenceproposal"),
        ),
    ),
    (
        "Partners",
        (
            _table("Partners", "apartment", "partners", "partner"),
            _table("Tiers", "stacks", "partners", "tier"),
            _table("API clients", "api", "partners", "apiclient"),
            _table("Access tokens", "key", "partners", "accesstoken"),
            _table("Roles", "badge", "partners", "role"),
            _table("Model groups", "workspaces", "partners", "modelgroup"),
        ),
    ),
    (
        "Operations",
        (
            _table("Jobs", "work_history", "jobs", "job"),
            _table("Decisions", "gavel", "decisions", "decisionrecord"),
            _table("Permits", "confirmation_number", "decisions", "permit"),
            _table("Moderation verdicts", "visibility", "moderation", "moderationverdict"),
        ),
    ),
    (
        "Proof",
        (
            _table("Ledger", "receipt_long", "audit", "ledgerentry"),
            Entry("As of", "manage_history", AS_OF, "audit.view_ledgerentry"),
            _table("Checkpoints", "flag", "audit", "checkpoint"),
            _table("Tree heads", "account_tree", "audit", "treehead"),
            _table("Log alarms", "e911_emergency", "audit", "logalarm"),
            _table("Evidence", "verified", "audit", "evidencerecord"),
            _table("Receipts", "receipt", "audit", "receipt"),
            Entry("Check a receipt", "verified_user", VERIFY, "audit.view_receipt"),
            _table("Reconciliations", "balance", "audit", "reconciliationreport"),
            _table("WORM objects", "lock", "audit", "wormreference"),
            _table("Legal holds", "lock_clock", "audit", "legalhold"),
            _table("Retention classes", "event_available", "audit", "retentionclass"),
            _table("Scrubs", "cleaning_services", "audit", "scrubrun"),
        ),
    ),
    (
        "Administration",
        (
            _table("Users", "person", "auth", "user"),
            _table("Groups", "groups", "auth", "group"),
            _table("Access proposals", "approval", "console", "accessproposal"),
        ),
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar for the user, in Unfold's form."""
    home = reverse("admin:index")
    dashboard = {"title": "Dashboard", "icon": "dashboard", "link": home, "active": request.path == home}
    groups: list[dict[str, Any]] = [{"items": [dashboard]}]
    for title, entries in GROUPS:
        allowed = [entry for entry in entries if request.user.has_perm(entry.permission)]
        groups.append({"title": title, "items": _items(request, allowed)})
    return groups


def place_of(opts: "Options[Any]") -> tuple[str, str, str]:
    """Return the group, the title and the address of a table's list; no group for a table that is not listed."""
    url_name = f"admin:{opts.app_label}_{opts.model_name}_changelist"
    for title, entries in GROUPS:
        for entry in entries:
            if entry.url_name == url_name:
                return title, entry.title, reverse(url_name)
    return "", str(opts.verbose_name_plural).capitalize(), reverse(url_name)


def _items(request: HttpRequest, entries: list[Entry]) -> list[dict[str, Any]]:
    links = {entry: reverse(entry.url_name) for entry in entries}
    here = max((link for link in links.values() if request.path.startswith(link)), key=len, default="")
    return [
        {"title": entry.title, "icon": entry.icon, "link": link, "active": link == here}
        for entry, link in links.items()
    ]
