"""The recorded states of models and their versions. A model's aliases are part of its state."""

from django.db.models import QuerySet

from governance.audit.recording.states import RecordedObject, State, recorded_object
from governance.catalog.proposals import proposal_state
from governance.catalog.states import recorded_text
from governance.kernel.canonical import digest
from governance.registry.licence_terms import LicenceContent
from governance.registry.models import (
    Licence,
    LicenceProposal,
    LicenceVersion,
    Model,
    ModelLicenceProposal,
    ModelVersion,
)

MODEL_SUBJECT = "model"
VERSION_SUBJECT = "model_version"
LICENCE_SUBJECT = "licence"
LICENCE_PROPOSAL_SUBJECT = "licence_proposal"
MODEL_LICENCE_PROPOSAL_SUBJECT = "model_licence_proposal"


def models() -> QuerySet[Model]:
    """Return all models with what their state needs."""
    return Model.objects.select_related("licence").prefetch_related("aliases__version")


def model_state(model: Model) -> State:
    """Return the recorded state of a model."""
    return {
        "slug": model.slug,
        "name": model.name,
        "description": recorded_text(model.description),
        "task": model.task,
        "owner": model.owner,
        "licence": model.licence.slug,
        "aliases": {alias.name: alias.version.version for alias in model.aliases.all()},
    }


def version_state(version: ModelVersion) -> State:
    """Return the recorded state of a model version."""
    return {
        "model": version.model.slug,
        "version": version.version,
        "runtime": version.runtime,
        "config_sha256": digest(version.config),
        "artifact_sha256": version.artifact_sha256,
        "stage": version.stage,
    }


def licence_state(licence: Licence) -> State:
    """Return what the ledger says of a licence: its version in force, whole."""
    return {"slug": licence.slug, "version": licence.in_force.number, **LicenceContent.of(licence.in_force).to_json()}


def name_of_version(version: LicenceVersion) -> str:
    """Return the name of a version of a licence, such as "open/3"."""
    return f"{version.licence.slug}/{version.number}"


MODELS = recorded_object(
    RecordedObject(
        subject=MODEL_SUBJECT,
        noun="model",
        rows=models,
        key=lambda model: str(model.pk),
        slug=lambda model: model.slug,
        state=model_state,
    )
)
VERSIONS = recorded_object(
    RecordedObject(
        subject=VERSION_SUBJECT,
        noun="model version",
        rows=lambda: ModelVersion.objects.select_related("model"),
        key=lambda version: str(version.pk),
        slug=lambda version: f"{version.model.slug}/{version.version}",
        state=version_state,
        named_by="model/version",
    )
)
LICENCES = recorded_object(
    RecordedObject(
        subject=LICENCE_SUBJECT,
        noun="licence",
        rows=lambda: Licence.objects.select_related("in_force"),
        key=lambda licence: str(licence.pk),
        slug=lambda licence: licence.slug,
        state=licence_state,
    )
)
LICENCE_PROPOSALS = recorded_object(
    RecordedObject(
        subject=LICENCE_PROPOSAL_SUBJECT,
        noun="licence proposal",
        rows=lambda: LicenceProposal.objects.select_related("licence", "base"),
        key=lambda proposal: str(proposal.pk),
        slug=lambda proposal: str(proposal.pk),
        state=lambda proposal: proposal_state(proposal, base=proposal.base.number if proposal.base else None),
    )
)
MODEL_LICENCE_PROPOSALS = recorded_object(
    RecordedObject(
        subject=MODEL_LICENCE_PROPOSAL_SUBJECT,
        noun="move to another licence",
        rows=lambda: ModelLicenceProposal.objects.select_related("model", "base__licence", "wanted__licence"),
        key=lambda proposal: str(proposal.pk),
        slug=lambda proposal: str(proposal.pk),
        state=lambda proposal: proposal_state(proposal, base=name_of_version(proposal.base)),
    )
)
