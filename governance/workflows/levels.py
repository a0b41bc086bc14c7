"""Putting proposals of policy into force, with what that means for jobs that are under way."""

from django.db import transaction
from django.db.models import Exists, OuterRef

from governance.audit.types import Actor
from governance.catalog import levels
from governance.catalog.models import ConsentGrant, ConsentLevelProposal, ConsentLevelVersion
from governance.jobs.models import OPEN_STATES, Job, JobInput
from governance.registry import licences, model_licences
from governance.registry.models import LicenceProposal, LicenceVersion, ModelLicenceProposal
from governance.workflows.consent import wake


def put_level_in_force(
    *, proposal: ConsentLevelProposal, digest: str, actor: Actor, comment: str = ""
) -> ConsentLevelVersion:
    """Put a proposed version into force and wake the jobs that read works granted at the level.

    Each is decided again before it runs or releases anything. Raises what `catalog.levels.put_level_in_force` raises.
    """
    with transaction.atomic():
        version = levels.put_level_in_force(proposal=proposal, digest=digest, actor=actor, comment=comment)
        granting = ConsentGrant.objects.filter(level=version.level_id).order_by().values("creator")
        read = JobInput.objects.filter(job=OuterRef("pk"), asset__creator__in=granting)
        wake(Job.objects.filter(Exists(read), state__in=OPEN_STATES))
    return version


def put_licence_in_force(*, proposal: LicenceProposal, digest: str, actor: Actor, comment: str = "") -> LicenceVersion:
    """Put a proposed version into force and wake the jobs on the licence's models.

    Each is decided again before it runs or releases anything. Raises what `registry.licences.put_licence_in_force`
    raises.
    """
    with transaction.atomic():
        version = licences.put_licence_in_force(proposal=proposal, digest=digest, actor=actor, comment=comment)
        wake(Job.objects.filter(state__in=OPEN_STATES, model_version__model__licence=version.licence_id))
    return version


def put_model_licence_in_force(
    *, proposal: ModelLicenceProposal, digest: str, actor: Actor, comment: str = ""
) -> LicenceVersion:
    """Put a model under the proposed licence and wake its jobs.

    Each is decided again before it runs or releases anything. Raises what
    `registry.model_licences.put_model_licence_in_force` raises.
    """
    with transaction.atomic():
        version = model_licences.put_model_licence_in_force(
            proposal=proposal, digest=digest, actor=actor, comment=comment
        )
        wake(Job.objects.filter(state__in=OPEN_STATES, model_version__model=proposal.model_id))
    return version
