"""Links from the names that ledgers and decisions use, (type, id), to the console pages of what they name.

Nothing is looked up: ids in the ledger outlive their rows, and a list must not ask the database once per line.
"""

from uuid import UUID

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

PAGES = {
    "asset": "catalog_asset",
    "client": "partners_apiclient",
    "consent_level": "catalog_consentlevel",
    "creator": "catalog_creator",
    "decision": "decisions_decisionrecord",
    "evidence": "audit_evidencerecord",
    "job": "jobs_job",
    "model": "registry_model",
    "model_version": "registry_modelversion",
    "output": "jobs_job",
    "partner": "partners_partner",
    "permit": "decisions_permit",
    "revision": "rulebook_policyrevision",
    "rule": "rulebook_abacrule",
    "token": "partners_accesstoken",
    "user": "auth_user",
}
SHOWN = 12


def subject_link(subject_type: str, subject_id: str) -> SafeString:
    """Return the name of a subject or actor, linked to its page, or to a search where it is known by a name."""
    kind = subject_type.replace("_", " ")
    url = subject_url(subject_type, subject_id)
    shown = f"…{subject_id[-SHOWN:]}" if _is_uuid(subject_id) else subject_id
    name = format_html('<code class="as-code" title="{}">{}</code>', subject_id, shown)
    if not url:
        return format_html('<span class="as-subject">{} {}</span>', kind, name)
    return format_html('<span class="as-subject">{} <a class="as-link" href="{}">{}</a></span>', kind, url, name)


def subject_url(subject_type: str, subject_id: str) -> str:
    """Return the address of a subject's page, or an empty string for what has none."""
    page = PAGES.get(subject_type)
    if page is None or not subject_id:
        return ""
    if _is_uuid(subject_id) or subject_id.isdigit():
        return reverse(f"admin:{page}_change", args=[subject_id])
    return reverse(f"admin:{page}_changelist", query={"q": subject_id})


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return "-" in text
