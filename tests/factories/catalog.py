"""Rows of the catalogue for tests. Consent goes through the services, so that epochs are always right."""

import hashlib
import io
from typing import Any

import factory
from factory.django import DjangoModelFactory

from governance.audit.types import Actor, SubjectRef
from governance.catalog import services, works
from governance.catalog.choices import GrantMethod
from governance.catalog.models import Asset, ConsentGrant, ConsentLevel, ConsentPair, Creator, Dataset
from governance.catalog.objects import object_name
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
    """A level that permits inference for research, or what `pairs` says."""

    class Meta:
        model = ConsentLevel
        skip_postgeneration_save = True

    slug = factory.Sequence(lambda n: f"level-{n}")
    name = factory.Sequence(lambda n: f"Level {n}")
    rank = factory.Sequence(lambda n: n)

    @factory.post_generation
    def pairs(self: ConsentLevel, create: bool, extracted: Any) -> None:
        wanted = [INFER] if extracted is None else extracted
        ConsentPair.objects.bulk_create(ConsentPair(level=self, action=a, purpose=p) for a, p in wanted)


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
        stream=io.BytesIO(data or image_bytes(seed=seed)),
        filename="work.png",
        uploaded_by=uploaded_by,
        dataset=None,
        actor=ACTOR,
    )
