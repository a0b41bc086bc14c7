"""A small marketplace made through the services, for tests that follow a job through all areas."""

from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from uuid import UUID, uuid4

from PIL import Image

from governance.audit.types import Actor, SubjectRef
from governance.catalog import services as catalog
from governance.catalog.choices import GrantMethod
from governance.catalog.creators import create_creator
from governance.catalog.models import Asset, ConsentLevel, Creator
from governance.catalog.types import IncomingFile
from governance.catalog.works import register_asset
from governance.decisions.permits import redeem
from governance.demo import samples
from governance.jobs.models import Job
from governance.kernel.vocabulary import UPLOAD, Action, Purpose
from governance.partners.clients import create_client
from governance.partners.models import ApiClient, Partner, Tier
from governance.partners.queries import live_token
from governance.partners.types import TokenGrant
from governance.registry import services as registry
from governance.registry.choices import Stage
from governance.registry.model_services import create_model
from governance.registry.models import ModelVersion
from governance.registry.tasks import UPSCALE
from governance.rulebook.activation import publish_without_review
from governance.workflows.release_job import release_job
from governance.workflows.run_job import run_job
from governance.workflows.seal_job import seal_job
from governance.workflows.submit_job import SubmitOutcome, submit_job
from governance.workflows.types import JobRequest
from inference_workers.moderators.nudenet import NudeNetModerator
from inference_workers.obligations.carry_out import apply_obligations
from inference_workers.runtimes.torch_upscaler import TorchUpscaler
from tests.factories.levels import make_level
from tests.factories.licences import make_licence
from tests.factories.partners import PartnerFactory, TierFactory, raw_token

TESTER = Actor("system", "tests")
WEIGHTS = Path(samples.__file__).parent / "weights" / "espcn_x2.safetensors"
CONFIG = {"architecture": "espcn", "scale": 2, "features": 48, "layers": 4}
#: Tests move the clock by hours and days.
OUTLIVES_TESTS = 366 * 24 * 3600
ACTIONS = [Action.MODEL_INVOKE, Action.ASSET_INFER, Action.OUTPUT_RELEASE, UPLOAD]


@dataclass(frozen=True)
class Marketplace:
    """One creator with one work under consent, one model in production, one partner with one token, one policy."""

    creator: Creator
    level: ConsentLevel
    asset: Asset
    version: ModelVersion
    partner: Partner
    client: ApiClient
    grant: TokenGrant

    def submit(
        self,
        *,
        key: str = "",
        purpose: str = Purpose.COMMERCIAL,
        asset: Asset | None = None,
        grant: TokenGrant | None = None,
    ) -> SubmitOutcome:
        request = JobRequest(
            model="espcn-x2",
            model_ref=None,
            task="upscale",
            purpose=purpose,
            inputs=((asset or self.asset).id,),
        )
        return submit_job(
            grant=grant or self.grant, request=request, idempotency_key=key or uuid4().hex, request_id="test"
        )

    def withdraw(self) -> None:
        catalog.record_withdrawal(
            creator=self.creator, asset=None, everything=True, method=GrantMethod.CONSOLE, actor=TESTER
        )


@cache
def upscaler() -> TorchUpscaler:
    return TorchUpscaler(redeem=redeem)


@cache
def moderator() -> NudeNetModerator:
    return NudeNetModerator()


def png(width: int = 24, height: int = 16, colour: str = "teal") -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "PNG")
    return buffer.getvalue()


def make_partner(slug: str = "lumen") -> tuple[Partner, ApiClient, TokenGrant]:
    tier = Tier.objects.filter(slug="production").first() or TierFactory.create(slug="production", name="Production")
    partner = PartnerFactory.create(slug=slug, name=slug.title(), tier=tier)
    client, _ = create_client(
        partner=partner, name=f"{slug} server", actions=ACTIONS, purposes=list(Purpose), actor=TESTER
    )
    return partner, client, live_token(raw_token(client, seconds=OUTLIVES_TESTS))


def make_asset(creator: Creator, image: bytes | None = None) -> Asset:
    return register_asset(
        creator=creator,
        title="Sunset",
        file=IncomingFile(BytesIO(image or png()), "sunset.png"),
        uploaded_by=SubjectRef("creator", str(creator.id)),
        dataset=None,
        actor=TESTER,
    )


def make_version(purposes: list[str] | None = None) -> ModelVersion:
    licence = make_licence("open", name="Open licence", purposes=purposes or [Purpose.COMMERCIAL, Purpose.RESEARCH])
    model = create_model(
        slug="espcn-x2",
        name="ESPCN",
        description="",
        task=UPSCALE.name,
        owner="assent-labs",
        licence=licence,
        actor=TESTER,
    )
    version = registry.register_version(
        model=model,
        version="1.0.0",
        artifact=BytesIO(WEIGHTS.read_bytes()),
        runtime="torch_espcn",
        config=CONFIG,
        actor=TESTER,
    )
    registry.set_stage(version=version, stage=Stage.PRODUCTION, actor=TESTER)
    registry.set_alias(model=model, name="production", version=version, actor=TESTER)
    return ModelVersion.objects.get(id=version.id)


def make_marketplace() -> Marketplace:
    level = make_level(
        "commercial",
        name="Commercial",
        pairs=[(Action.ASSET_INFER, Purpose.COMMERCIAL), (Action.ASSET_INFER, Purpose.DERIVATIVE_COMMERCIAL)],
    )
    creator = create_creator(slug="ada", display_name="Ada", email="", region="SE", uploaders=["lumen"], actor=TESTER)
    catalog.record_grant(creator=creator, asset=None, level=level, method=GrantMethod.SIGNED_FORM, actor=TESTER)
    asset = make_asset(creator)
    version = make_version()
    partner, client, grant = make_partner()
    publish_without_review(actor=TESTER, note="tests")
    return Marketplace(creator, level, asset, version, partner, client, grant)


def run(job_id: UUID, *, owner: str = "worker-1") -> Job:
    """Do what the inference worker does for one message."""
    run_job(job_id=job_id, owner=owner, runtimes=lambda _: upscaler(), moderator=moderator())
    return Job.objects.get(id=job_id)


def release(job_id: UUID, *, owner: str = "worker-1") -> Job:
    """Do what the moderation worker does for one message."""
    release_job(job_id=job_id, owner=owner, moderator=moderator(), carry_out=apply_obligations)
    return Job.objects.get(id=job_id)


def seal(job_id: UUID) -> Job:
    """Do what the control worker does for one message."""
    seal_job(job_id=job_id, actor=TESTER)
    return Job.objects.get(id=job_id)


def finish(job_id: UUID) -> Job:
    """Take a queued job all the way."""
    run(job_id)
    release(job_id)
    return seal(job_id)
