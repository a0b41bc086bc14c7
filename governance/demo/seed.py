"""A small marketplace to try Assent on: real photos, four creators with different wishes, two partners, one model."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction

from governance.audit.types import Actor
from governance.catalog import services as catalog
from governance.catalog.choices import GrantMethod
from governance.catalog.creators import create_creator
from governance.catalog.datasets import create_dataset
from governance.catalog.entries import creator_ref
from governance.catalog.level_terms import checked_content
from governance.catalog.levels import propose_level, put_level_in_force
from governance.catalog.models import Asset, ConsentLevel, Creator, Dataset
from governance.catalog.types import IncomingFile
from governance.catalog.works import register_asset
from governance.console.accounts import Access, Person, create_user
from governance.console.roles import ensure_roles
from governance.demo import samples
from governance.kernel import clock
from governance.kernel.ids import new_token
from governance.kernel.json_reading import read_json_object
from governance.kernel.parsing import parse_object
from governance.kernel.vocabulary import UPLOAD, Action, Purpose
from governance.partners.clients import create_client
from governance.partners.partners import create_partner
from governance.partners.tiers import create_tier
from governance.registry import services as registry
from governance.registry.choices import Stage
from governance.registry.licence_terms import LicenceContent, checked_licence
from governance.registry.licences import propose_licence, put_licence_in_force
from governance.registry.model_services import create_model
from governance.registry.tasks import UPSCALE
from governance.rulebook.activation import publish_without_review

SEEDER = Actor("system", "seed")
WEIGHTS = Path(samples.__file__).parent / "weights"
SHEET_EDGE = 640
CLIENT_ACTIONS = [Action.MODEL_INVOKE, Action.ASSET_INFER, Action.OUTPUT_RELEASE, Action.ASSET_PREVIEW, UPLOAD]

LEVELS: list[tuple[str, str, int, str, list[tuple[Action, Purpose]]]] = [
    (
        "preview-only",
        "Preview only",
        10,
        "People may look, machines may not.",
        [(Action.ASSET_PREVIEW, purpose) for purpose in Purpose],
    ),
    (
        "research",
        "Research",
        20,
        "Previews, and inference for research and non-commercial work.",
        [
            *((Action.ASSET_PREVIEW, purpose) for purpose in Purpose),
            (Action.ASSET_INFER, Purpose.RESEARCH),
            (Action.ASSET_INFER, Purpose.NON_COMMERCIAL),
            (Action.ASSET_TRAIN, Purpose.RESEARCH),
        ],
    ),
    (
        "commercial",
        "Commercial inference",
        30,
        "Inference for every purpose; no training, no export.",
        [
            *((Action.ASSET_PREVIEW, purpose) for purpose in Purpose),
            *((Action.ASSET_INFER, purpose) for purpose in Purpose),
        ],
    ),
    (
        "full",
        "Everything",
        40,
        "Inference, training and export for every purpose.",
        [
            (action, purpose)
            for action in (Action.ASSET_PREVIEW, Action.ASSET_INFER, Action.ASSET_TRAIN, Action.ASSET_EXPORT)
            for purpose in Purpose
        ],
    ),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class SeededCreator:
    """A creator of the demo marketplace: slug, name, region, default consent, works by sample name."""

    slug: str
    name: str
    region: str
    level: str | None
    works: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DemoPeople:
    """Two people of the demo's governance team: one proposes versions of policy, the other approves them."""

    author: Actor
    approver: Actor


CREATORS = [
    SeededCreator("ada", "Ada Lindqvist", "SE", "commercial", (("astronaut", "Portrait in orange"),)),
    SeededCreator("bruno", "Bruno Keller", "DE", "research", (("chelsea", "Chelsea, resting"),)),
    SeededCreator("chiara", "Chiara Moretti", "IT", "commercial", (("china", "Summer palace"), ("flower", "Dahlia"))),
    SeededCreator("deniz", "Deniz Aydin", "TR", None, (("rocket", "Lift-off at dusk"),)),
]


@transaction.atomic
def seed() -> dict[str, Any]:
    """Fill an empty database and return what a person needs to log in: console login and API clients.

    Raises RuntimeError when there are creators already: seeding twice would mix demo data into real data.
    """
    if Creator.objects.exists():
        raise RuntimeError("The database has creators already; the demo data is only for an empty one.")
    people = _seed_people()
    _seed_catalogue(people)
    _seed_model(people)
    publish_without_review(actor=SEEDER, note="First revision: the system rules.")
    clients = _seed_partners()
    return {**_seed_console_user(), **clients["lumen"], "clients": clients}


def _seed_people() -> DemoPeople:
    """Make the two people whom versioned policy needs; nobody knows their passwords, so nobody logs in as them."""
    ensure_roles()
    author, approver = (
        create_user(
            person=Person(name.lower(), first_name=name),
            access=Access(groups=[*Group.objects.filter(name__in=roles)]),
            password=new_token(12),
            actor=SEEDER,
        )
        for name, roles in (("Paul", ["Policy author", "Model steward"]), ("Rosa", ["Policy approver"]))
    )
    return DemoPeople(Actor("user", str(author.pk)), Actor("user", str(approver.pk)))


def _seed_catalogue(people: DemoPeople) -> None:
    for slug, name, rank, description, pairs in LEVELS:
        content = checked_content(slug=slug, name=name, rank=rank, description=description, pairs=pairs)
        proposal = propose_level(
            slug=slug, content=content, base=None, reason="The demo's first levels", actor=people.author
        )
        put_level_in_force(proposal=proposal, digest=proposal.digest, actor=people.approver)
    dataset = create_dataset(
        slug="photographs", name="Photographs", description="Photographs for upscaling.", actor=SEEDER
    )
    for seeded in CREATORS:
        creator = create_creator(
            slug=seeded.slug,
            display_name=seeded.name,
            email="",
            region=seeded.region,
            uploaders=["lumen"],
            actor=SEEDER,
        )
        if seeded.level is not None:
            _grant(creator, None, seeded.level)
        for sample, title in seeded.works:
            _add_work(creator, dataset, title, sample, samples.low_resolution_png(sample))
    ada = Creator.objects.get(slug="ada")
    _add_work(ada, dataset, "Contact sheet", "contact-sheet", samples.large_png(SHEET_EDGE))


def _add_work(creator: Creator, dataset: Dataset, title: str, sample: str, image: bytes) -> Asset:
    return register_asset(
        creator=creator,
        title=title,
        file=IncomingFile(BytesIO(image), f"{sample}.png"),
        uploaded_by=creator_ref(creator),
        dataset=dataset,
        actor=Actor("creator", str(creator.id)),
    )


def _grant(creator: Creator, asset: Asset | None, level: str) -> None:
    catalog.record_grant(
        creator=creator,
        asset=asset,
        level=ConsentLevel.objects.get(slug=level),
        method=GrantMethod.SIGNED_FORM,
        actor=Actor("creator", str(creator.id)),
    )


def _seed_model(people: DemoPeople) -> None:
    slug = "open-upscale"
    content = checked_licence(
        slug=slug,
        content=LicenceContent(
            name="Open upscale licence",
            purposes=(Purpose.RESEARCH, Purpose.NON_COMMERCIAL, Purpose.COMMERCIAL),
            regions=(),
            partners=(),
            valid_from=clock.now(),
            valid_until=None,
            obligations=({"kind": "attribution", "parameters": {"text": "Upscaled with ESPCN x2 under Assent"}},),
            terms_url="",
        ),
    )
    proposal = propose_licence(
        slug=slug, content=content, base=None, reason="The demo's first licence", actor=people.author
    )
    licence = put_licence_in_force(proposal=proposal, digest=proposal.digest, actor=people.approver).licence
    model = create_model(
        slug="espcn-x2",
        name="ESPCN ×2",
        description="Super-resolution network that doubles width and height of a photograph.",
        task=UPSCALE.name,
        owner="assent-labs",
        licence=licence,
        actor=SEEDER,
    )
    card = read_json_object((WEIGHTS / "espcn_x2.json").read_bytes())
    with (WEIGHTS / "espcn_x2.safetensors").open("rb") as artifact:
        version = registry.register_version(
            model=model,
            version="1.0.0",
            artifact=artifact,
            runtime="torch_espcn",
            config=parse_object(card["config"]),
            actor=SEEDER,
        )
    registry.set_stage(version=version, stage=Stage.PRODUCTION, actor=SEEDER)
    registry.set_alias(model=model, name="production", version=version, actor=SEEDER)


def _seed_partners() -> dict[str, dict[str, str]]:
    tier = create_tier(slug="production", name="Production", requests_per_minute=6000, max_open_jobs=100, actor=SEEDER)
    create_tier(slug="sandbox", name="Sandbox", requests_per_minute=60, max_open_jobs=5, actor=SEEDER)
    made = {}
    for slug, name, region in (("lumen", "Lumen Prints", "DE"), ("northlight", "Northlight Studio", "US")):
        partner = create_partner(slug=slug, name=name, tier=tier, region=region, actor=SEEDER)
        client, secret = create_client(
            partner=partner,
            name=f"{name} server",
            actions=CLIENT_ACTIONS,
            purposes=list(Purpose),
            actor=SEEDER,
        )
        made[slug] = {"client_id": client.client_id, "client_secret": secret}
    return made


def _seed_console_user() -> dict[str, str]:
    password = new_token(12)
    create_user(person=Person("admin"), access=Access(staff=True, superuser=True), password=password, actor=SEEDER)
    return {"console_username": "admin", "console_password": password}
