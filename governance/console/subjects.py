"""Links from the names that ledgers and decisions use, (type, id), to the console pages of what they name.

Nothing is looked up: ids in the ledger outlive their rows, and a list must not query the database once per line.
"""

from collections.abc import Iterable
from uuid import UUID

from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

PAGES = {
    "access_proposal": "console_accessproposal",
    "asset": "catalog_asset",
    "client": "partners_apiclient",
    "consent_level": "catalog_consentlevel",
    "consent_level_proposal": "catalog_consentlevelproposal",
    "creator": "catalog_creator",
    "dataset": "catalog_dataset",
    "decision": "decisions_decisionrecord",
    "draft": "rulebook_policydraft",
    "evidence": "audit_evidencerecord",
    "freeze": "rulebook_policyfreeze",
    "group": "auth_group",
    "job": "jobs_job",
    "licence": "registry_licence",
    "licence_proposal": "registry_licenceproposal",
    "log": "audit_logalarm",
    "model": "registry_model",
    "model_licence_proposal": "registry_modellicenceproposal",
    "model_group": "partners_modelgroup",
    "model_version": "registry_modelversion",
    "opa_server": "opa_opaserver",
    "output": "jobs_job",
    "partner": "partners_partner",
    "permit": "decisions_permit",
    "reconciliation": "audit_reconciliationreport",
    "replay": "decisions_replayreport",
    "retention": "audit_retentionclass",
    "revision": "rulebook_policyrevision",
    "role": "partners_role",
    "rule": "rulebook_abacrule",
    "scrub": "audit_scrubrun",
    "tier": "partners_tier",
    "token": "partners_accesstoken",
    "upload_review": "catalog_uploadreview",
    "user": "auth_user",
    "worm": "audit_wormreference",
}
SHOWN = 12
LONG = 24


def subject_link(subject_type: str, subject_id: str, name: str = "") -> SafeString:
    """Return a subject or actor by its name, or by its id where none is given, linked to its page.

    A subject that the ledger names by something other than a row's key is linked to a search for it.
    """
    kind = subject_type.replace("_", " ")
    url = subject_url(subject_type, subject_id)
    shown = format_html('<code class="as-code" title="{}">{}</code>', subject_id, name or short_id(subject_id))
    if not url:
        return format_html('<span class="as-subject">{} {}</span>', kind, shown)
    return format_html('<span class="as-subject">{} <a class="as-link" href="{}">{}</a></span>', kind, url, shown)


def user_names(keys: Iterable[str]) -> dict[str, str]:
    """Return the user names behind the keys by which the ledger knows console users; one query."""
    wanted = {key for key in keys if key.isdigit()}
    users = get_user_model().objects.in_bulk(wanted) if wanted else {}
    return {str(key): user.get_username() for key, user in users.items()}


def person_names(actors: Iterable[str]) -> dict[str, str]:
    """Return the user names behind actors written as text, such as `user:7`; one query."""
    keys = {actor: actor.removeprefix("user:") for actor in actors if actor.startswith("user:")}
    names = user_names(keys.values())
    return {actor: names[key] for actor, key in keys.items() if key in names}


def subject_url(subject_type: str, subject_id: str) -> str:
    """Return the address of a subject's page, or an empty string for what has none."""
    page = PAGES.get(subject_type)
    if page is None or not subject_id:
        return ""
    if _is_uuid(subject_id) or subject_id.isdigit():
        return reverse(f"admin:{page}_change", args=[subject_id])
    return reverse(f"admin:{page}_changelist", query={"q": subject_id})


def short_id(subject_id: str) -> str:
    """Return the distinctive part of an id for lists."""
    if _is_uuid(subject_id):
        return f"…{subject_id[-SHOWN:]}"
    return subject_id if len(subject_id) <= LONG else f"{subject_id[:SHOWN]}…"


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return "-" in text
