"""Rows of the model registry for tests."""

import hashlib
import io
from collections.abc import Mapping
from typing import Any

import factory
import numpy as np
from django.db import transaction
from factory.django import DjangoModelFactory
from safetensors.numpy import save

from governance.audit.types import Actor
from governance.catalog.objects import object_name
from governance.kernel import clock
from governance.registry import services
from governance.registry.choices import Stage
from governance.registry.models import Licence, LicenceVersion, Model, ModelAlias, ModelVersion
from governance.registry.tasks import UPSCALE

ACTOR = Actor("user", "model-steward")


class LicenceFactory(DjangoModelFactory[Licence]):
    """A licence with one version; not on record."""

    class Meta:
        model = Licence

    slug = factory.Sequence(lambda n: f"licence-{n}")
    name = factory.Sequence(lambda n: f"Licence {n}")
    purposes = factory.LazyFunction(lambda: ["research"])
    valid_from = factory.LazyFunction(clock.now)

    @classmethod
    def _create(cls, model_class: type[Licence], *args: Any, **kwargs: Any) -> Licence:
        slug = kwargs.pop("slug")
        version = LicenceVersion(number=1, **kwargs)
        with transaction.atomic():
            licence = model_class.objects.create(slug=slug, in_force_id=version.pk, **kwargs)
            version.licence = licence
            version.save(force_insert=True)
        licence.in_force = version
        return licence


class ModelFactory(DjangoModelFactory[Model]):
    class Meta:
        model = Model

    slug = factory.Sequence(lambda n: f"model-{n}")
    name = factory.Sequence(lambda n: f"Model {n}")
    task = UPSCALE.name
    owner = "model-owner"
    licence = factory.SubFactory(LicenceFactory)


class ModelVersionFactory(DjangoModelFactory[ModelVersion]):
    """A row without an artifact in storage; `stored_version` makes one with."""

    class Meta:
        model = ModelVersion

    model = factory.SubFactory(ModelFactory)
    version = factory.Sequence(lambda n: f"1.{n}.0")
    runtime = "torch_espcn"
    artifact_sha256 = factory.Sequence(lambda n: hashlib.sha256(f"artifact {n}".encode()).hexdigest())
    artifact_object = factory.LazyAttribute(lambda version: object_name(version.artifact_sha256))
    artifact_size = 1000
    stage = Stage.STAGING


class ModelAliasFactory(DjangoModelFactory[ModelAlias]):
    class Meta:
        model = ModelAlias

    name = "production"
    version = factory.SubFactory(ModelVersionFactory, stage=Stage.PRODUCTION)
    model = factory.LazyAttribute(lambda alias: alias.version.model)


def safetensors_bytes(*, seed: int = 0, shape: tuple[int, ...] = (3, 4)) -> bytes:
    """Return a small sound safetensors file."""
    weights = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    return save({"layer.weight": weights, "layer.bias": weights.sum(axis=0)})


def stored_version(
    *, model: Model, version: str = "1.0.0", data: bytes | None = None, config: Mapping[str, Any] | None = None
) -> ModelVersion:
    """Return a version in staging that was registered through the service, its artifact in storage."""
    return services.register_version(
        model=model,
        version=version,
        artifact=io.BytesIO(data or safetensors_bytes()),
        runtime="torch_espcn",
        config=config or {},
        actor=ACTOR,
    )
