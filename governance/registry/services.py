"""Use cases of the model registry. Changes of versions or aliases lock the model's row."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypedDict

from django.conf import settings
from django.db import transaction
from safetensors import SafetensorError, safe_open

from governance.audit.recording.record import record
from governance.audit.recording.states import State
from governance.audit.types import Actor
from governance.catalog import objects
from governance.catalog.types import ByteSource
from governance.kernel.canonical import NotCanonical, canonical_json
from governance.registry.choices import PRODUCTION_ALIAS, Stage
from governance.registry.entries import (
    ModelAliasRemoved,
    ModelAliasSet,
    ModelStageChanged,
    ModelVersionRegistered,
)
from governance.registry.errors import (
    AliasRefused,
    ArtifactMalformed,
    ModelVersionExists,
    ModelVersionInvalid,
    StageRefused,
)
from governance.registry.models import Model, ModelAlias, ModelVersion
from governance.registry.ports import runtimes
from governance.registry.states import MODELS, VERSIONS

VERSION: Final = re.compile(r"[0-9][0-9A-Za-z.+_-]{0,49}")
"""Versions begin with a digit and aliases with a letter, so that a reference is unambiguous."""
ALIAS: Final = re.compile(r"[a-z][a-z0-9-]{0,49}")
CONFIG_BYTES: Final = 64 * 1024

TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    Stage.STAGING: frozenset({Stage.PRODUCTION, Stage.RETIRED}),
    Stage.PRODUCTION: frozenset({Stage.STAGING, Stage.RETIRED}),
    Stage.RETIRED: frozenset(),
}


def register_version(
    *, model: Model, version: str, artifact: ByteSource, runtime: str, config: Mapping[str, Any], actor: Actor
) -> ModelVersion:
    """Register a new version in staging with its artifact, a safetensors file of at most ASSENT_MAX_ARTIFACT_BYTES.

    The file's structure is checked without loading its tensors. Raises ModelVersionInvalid, ArtifactMalformed,
    UploadTooLarge, ModelVersionExists, ObjectStoreUnavailable or ObjectAltered.
    """
    _check_description(version, runtime, config)
    with objects.received(artifact, limit=settings.ASSENT_MAX_ARTIFACT_BYTES) as item:
        _check_artifact(item.path)
        stored = objects.store(item)
    with transaction.atomic():
        _lock(model)
        if ModelVersion.objects.filter(model=model, version=version).exists():
            raise ModelVersionExists(f"The model '{model.slug}' has a version {version} already.")
        registered = ModelVersion.objects.create(
            model=model,
            version=version,
            runtime=runtime,
            config=dict(config),
            artifact_object=stored.name,
            artifact_sha256=stored.sha256,
            artifact_size=stored.size,
        )
        entry = ModelVersionRegistered.of(registered, VERSIONS.state(registered))
        record(entry, subject=VERSIONS.ref(registered), actor=actor)
    return registered


def set_stage(*, version: ModelVersion, stage: Stage, actor: Actor) -> ModelVersion:
    """Move a version to another stage; a retired one stays retired.

    Aliases that may no longer point to it are removed in the same step, so that a bad version can be withdrawn at once:
    every alias of a retired version, and `production` of one that goes back to staging. Raises StageRefused.
    """
    with transaction.atomic():
        _lock(version.model)
        current = VERSIONS.rows().get(pk=version.pk)
        before, left = VERSIONS.state(current), current.stage
        if stage != left:
            _check_transition(left, stage)
            current.stage = stage
            current.save(update_fields=["stage"])
            entry = ModelStageChanged(
                before=before, after=VERSIONS.state(current), **_version_data(current), from_=left, to=stage
            )
            record(entry, subject=VERSIONS.ref(current), actor=actor)
            _drop_aliases(current, actor)
    version.stage = current.stage
    return version


def set_alias(*, model: Model, name: str, version: ModelVersion, actor: Actor) -> ModelAlias:
    """Point an alias of the model to a version of it; an unchanged alias is not recorded.

    No alias points to a retired version, and `production` only to one in that stage. Raises ModelVersionInvalid,
    AliasRefused.
    """
    if not ALIAS.fullmatch(name):
        raise _invalid("name", "An alias begins with a letter and has 1 to 50 lower-case letters, digits or hyphens.")
    with transaction.atomic():
        before = _lock(model)
        current = VERSIONS.rows().get(pk=version.pk)
        if current.model_id != model.id:
            raise _invalid("version", f"That version is not one of the model '{model.slug}'.")
        if current.stage == Stage.RETIRED or (name == PRODUCTION_ALIAS and current.stage != Stage.PRODUCTION):
            raise AliasRefused(f"The alias '{name}' may not point to a version in stage {current.stage}.")
        alias, _ = ModelAlias.objects.update_or_create(model=model, name=name, defaults={"version": current})
        after = MODELS.state(MODELS.rows().get(pk=model.pk))
        if after != before:
            entry = ModelAliasSet(before=before, after=after, **_version_data(current), alias=name)
            record(entry, subject=MODELS.ref(model), actor=actor)
    return alias


def _check_description(version: str, runtime: str, config: Mapping[str, Any]) -> None:
    if not VERSION.fullmatch(version):
        raise _invalid("version", "A version begins with a digit, such as 1.0.0, and has at most 50 characters.")
    if runtime not in runtimes.get():
        raise _invalid("runtime", f"There is no runtime '{runtime}'. Known: {', '.join(runtimes.get())}.")
    try:
        size = len(canonical_json(config))
    except NotCanonical as error:
        raise _invalid("config", f"The configuration must be plain JSON: {error.message}") from error
    if size > CONFIG_BYTES:
        raise _invalid("config", f"The configuration may have at most {CONFIG_BYTES} bytes.")


def _check_artifact(path: Path) -> None:
    """Check header, offsets and coverage with the reference reader, which maps the file and loads no tensor."""
    try:
        with safe_open(path, framework="numpy") as tensors:
            names = list(tensors.keys())
    except (SafetensorError, OSError, ValueError) as error:
        raise ArtifactMalformed(f"The file cannot be read: {error}.", details={"field": "artifact"}) from error
    if not names:
        raise ArtifactMalformed("The file holds no tensors.", details={"field": "artifact"})


def _check_transition(before: str, after: str) -> None:
    if after not in TRANSITIONS[before]:
        raise StageRefused(f"A version in stage {before} cannot go to stage {after}.")


def _lock(model: Model) -> State:
    """Lock a model for a change of its versions or aliases and return its state before that."""
    return MODELS.state(MODELS.rows().select_for_update(of=("self",), no_key=True).get(pk=model.pk))


def _drop_aliases(version: ModelVersion, actor: Actor) -> None:
    aliases = ModelAlias.objects.filter(version=version).order_by("name")
    for alias in aliases if version.stage == Stage.RETIRED else aliases.filter(name=PRODUCTION_ALIAS):
        before = MODELS.state(MODELS.rows().get(pk=version.model_id))
        alias.delete()
        after = MODELS.state(MODELS.rows().get(pk=version.model_id))
        entry = ModelAliasRemoved(before=before, after=after, **_version_data(version), alias=alias.name)
        record(entry, subject=MODELS.ref(version.model), actor=actor)


def _invalid(field: str, message: str) -> ModelVersionInvalid:
    return ModelVersionInvalid(message, details={"field": field})


class _VersionData(TypedDict):
    model: str
    version: str
    artifact_sha256: str


def _version_data(version: ModelVersion) -> _VersionData:
    return {"model": version.model.slug, "version": version.version, "artifact_sha256": version.artifact_sha256}
