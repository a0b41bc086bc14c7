"""The recorded states of models and their versions. A model's aliases are part of its state."""

from django.db.models import QuerySet

from governance.audit.recording.states import RecordedObject, State, recorded_object
from governance.catalog.states import recorded_text
from governance.kernel.canonical import digest
from governance.registry.models import Model, ModelVersion

MODEL_SUBJECT = "model"
VERSION_SUBJECT = "model_version"


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
