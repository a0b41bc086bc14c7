"""Rows of the catalogue for tests. Consent goes through the services, so that epochs are always right."""

import hashlib
import io
from typing import Any

import factory
from django.db import transaction
from factory.django import DjangoModelFactory

from governance.audit.types import Actor, SubjectRef
from governance.catalog import services, works
from governance.catalog.choices import GrantMethod
from governance.catalog.models import Asset, ConsentGrant, ConsentLevel, ConsentLevelVersion, Creator, Dataset
from governance.catalog.objects import object_name
from governance.catalog.types import IncomingFile
from tests.factories.images import image_bytes

ACTOR = Actor("user", "catalogue-editor")
INFER = ("asset.infer", "research")
TRAIN = ("asset.train", "research")


class CreatorFactory(DjangoModelFactory[Creator]):
    class Meta:
        model = Creator

    slug = factory.Sequence(lambda n: f"creator-{n}")
    display_name = factory.Faker("name")
    email = factory.Faker("email")
    region = "DE"


class DatasetFactory(DjangoModelFactory[Dataset]):
    class Meta:
        model = Dataset

    slug = factory.Sequence(lambda n: f"dataset-{n}")
    name = factory.Sequence(lambda n: f"Dataset {n}")


class ConsentLevelFactory(DjangoModelFactory[ConsentLevel]):
    """A level with one version that permits inference for research, or what `pairs` says; not on record."""

    class Meta:
        model = ConsentLevel

    slug = factory.Sequence(lambda n: f"level-{n}")
    name = factory.Sequence(lambda n: f"Level {n}")
    rank = factory.Sequence(lambda n: n)
    description = ""
    pairs: Any = (INFER,)

    @classmethod
    def _create(cls, model_class: type[ConsentLevel], *args: Any, **kwargs: Any) -> ConsentLevel:
        pairs = sorted(f"{action}:{purpose}" for action, purpose in kwargs.pop("pairs"))
        version = ConsentLevelVersion(
            number=1,
            name=kwargs.pop("name"),
            rank=kwargs.pop("rank"),
            description=kwargs.pop("description"),
            pairs=pairs,
            effective=pairs,
        )
        with transaction.atomic():
            level = model_class.objects.create(in_force_id=version.pk, **kwargs)
            version.level = level
            version.save(force_insert=True)
        return model_class.objects.select_related("in_force").get(pk=level.pk)


class AssetFactory(DjangoModelFactory[Asset]):
    """A row without bytes in storage; `stored_asset` makes one with."""

    class Meta:
        model = Asset

    creator = factory.SubFactory(CreatorFactory)
    title = factory.Sequence(lambda n: f"Work {n}")
    media_type = "image/png"
    size = 1000
    sha256 = factory.Sequence(lambda n: hashlib.sha256(f"asset {n}".encode()).hexdigest())
    object_name = factory.LazyAttribute(lambda asset: object_name(asset.sha256))
    width = 32
    height = 24
    uploaded_by_type = "user"
    uploaded_by_id = "catalogue-editor"


class ConsentGrantFactory(DjangoModelFactory[ConsentGrant]):
    """A grant on record, for `asset` or as its creator's default."""

    class Meta:
        model = ConsentGrant

    creator = factory.SubFactory(CreatorFactory)
    asset = None
    level = factory.SubFactory(ConsentLevelFactory)
    method = GrantMethod.CONSOLE
    actor = ACTOR

    @classmethod
    def _create(cls, model_class: type[ConsentGrant], *args: Any, **kwargs: Any) -> ConsentGrant:
        return services.record_grant(**kwargs)


CATALOGUE_EDITOR = SubjectRef("user", "catalogue-editor")


def stored_asset(
    *, creator: Creator, data: bytes | None = None, seed: int = 0, uploaded_by: SubjectRef = CATALOGUE_EDITOR
) -> Asset:
    """Return an asset that was taken in through the service, with `data` or a random PNG image in storage."""
    return works.register_asset(
        creator=creator,
        title=f"Work {seed}",
        file=IncomingFile(io.BytesIO(data or image_bytes(seed=seed)), "work.png"),
        uploaded_by=uploaded_by,
        dataset=None,
        actor=ACTOR,
    )
