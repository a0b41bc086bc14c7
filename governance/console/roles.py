"""The standard roles of console users. All roles can see what explains a decision."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

from governance.audit.types import Actor
from governance.console.groups import change_group, create_group

#: Who keeps the standard groups.
SETUP = Actor("system", "ensure_roles")
AREAS = ("audit", "catalog", "partners", "registry", "rulebook", "decisions", "jobs", "opa", "moderation")


@dataclass(frozen=True, slots=True)
class Role:
    """A group of console users. `permissions` are "area.codename", beside the right to see every table."""

    purpose: str
    permissions: tuple[str, ...] = ()
    sees_accounts: bool = False


def _all_of(area: str, *tables: str) -> tuple[str, ...]:
    return tuple(f"{area}.{verb}_{table}" for table in tables for verb in ("add", "change", "delete"))


ROLES: Mapping[str, Role] = {
    "Policy author": Role(
        "Writes ABAC rules and proposes drafts and consent levels; cannot put them into force.",
        (
            *_all_of("rulebook", "abacrule"),
            "rulebook.add_policydraft",
            "rulebook.change_policydraft",
            "decisions.add_replayreport",
            "catalog.add_consentlevelproposal",
        ),
    ),
    "Policy approver": Role(
        "Reviews drafts and proposals, activates, rolls back and freezes; cannot write any of them.",
        (
            "catalog.review_consentlevelproposal",
            "registry.review_licenceproposal",
            "registry.review_modellicenceproposal",
            "rulebook.review_policydraft",
            "rulebook.activate_policydraft",
            "rulebook.add_policyfreeze",
            "rulebook.change_policyfreeze",
            "decisions.add_replayreport",
        ),
    ),
    "Moderator": Role(
        "Looks at works and outputs, decides on claims, quarantines works, cancels jobs.",
        ("catalog.change_asset", "catalog.decide_uploadreview", "jobs.change_job"),
    ),
    "Model steward": Role(
        "Proposes licences and moves of models to others, keeps models, registers versions, moves them to production.",
        (
            *_all_of("registry", "model"),
            "registry.add_licenceproposal",
            "registry.add_modellicenceproposal",
            "registry.add_modelversion",
            "registry.change_modelversion",
        ),
    ),
    "Governance manager": Role(
        "Keeps creators, consent, works and partners; grants and revokes access; stops jobs.",
        (
            *_all_of("catalog", "creator", "dataset"),
            *_all_of("partners", "tier", "partner"),
            "audit.change_legalhold",
            "catalog.add_asset",
            "catalog.add_consentgrant",
            "catalog.add_consentlevelproposal",
            "catalog.change_asset",
            "catalog.decide_uploadreview",
            "jobs.change_job",
            "opa.add_opaserver",
            "opa.change_opaserver",
            "partners.add_apiclient",
            "partners.change_apiclient",
            "partners.delete_apiclient",
            "partners.add_modelgroup",
            "partners.add_role",
            "partners.add_roleassignment",
            "partners.change_modelgroup",
            "partners.change_role",
            "partners.change_accesstoken",
        ),
        sees_accounts=True,
    ),
    "Records manager": Role(
        "Keeps retention classes, sets legal holds and releases them with a second person, starts scrubs.",
        (
            *_all_of("audit", "retentionclass"),
            "audit.add_legalhold",
            "audit.add_scrubrun",
            "audit.change_legalhold",
            "audit.change_scrubrun",
            "audit.change_wormreference",
        ),
    ),
    "Auditor": Role("Sees everything, changes nothing.", sees_accounts=True),
}


@transaction.atomic
def ensure_roles(actor: Actor = SETUP) -> dict[str, int]:
    """Create the standard groups, or restore their permissions; return the number of permissions of each.

    Other groups, and the members of groups, are not changed. A group that is as it should be leaves no entry.
    """
    seen = Permission.objects.filter(content_type__app_label__in=AREAS, codename__startswith="view_")
    accounts = Permission.objects.filter(
        content_type__app_label__in=("auth", "console"), codename__in=("view_user", "view_group", "view_accessproposal")
    )
    counts = {}
    for name, role in ROLES.items():
        wanted = [*seen, *_named(role.permissions), *(accounts if role.sees_accounts else ())]
        group = Group.objects.filter(name=name).first()
        if group is None:
            create_group(name=name, permissions=wanted, actor=actor)
        else:
            change_group(group=group, permissions=wanted, actor=actor)
        counts[name] = len(wanted)
    return counts


def _named(permissions: tuple[str, ...]) -> list[Permission]:
    if not permissions:
        return []
    wanted = Q()
    for permission in permissions:
        area, codename = permission.split(".")
        wanted |= Q(content_type__app_label=area, codename=codename)
    found = list(Permission.objects.filter(wanted).select_related("content_type"))
    missing = set(permissions) - {f"{each.content_type.app_label}.{each.codename}" for each in found}
    if missing:
        installed = ", ".join(sorted(config.label for config in apps.get_app_configs()))
        raise LookupError(f"No such permission: {', '.join(sorted(missing))} (installed: {installed}). Migrate first.")
    return found
