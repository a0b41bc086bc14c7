"""Fixtures of the console's tests: people with roles, and a marketplace to look at."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from governance.audit.evidence.anchoring import anchor_pending
from governance.audit.keeping.holds import set_hold
from governance.audit.keeping.scrub import start_scrub
from governance.audit.log.sequencer import sequence_pending
from governance.audit.models import LogAlarm, WormReference
from governance.audit.ports import worm_store
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.catalog.objects import read_verified
from governance.console.roles import ensure_roles
from governance.jobs.models import Job
from governance.opa.intake import store_logs
from governance.opa.services import enrol
from governance.partners.roles import Grant, create_model_group, create_role
from governance.registry.model_licences import propose_model_licence
from governance.rulebook.freeze import freeze_policy
from governance.rulebook.services import create_rule
from tests.factories.audit import make_report
from tests.factories.catalog import CreatorFactory
from tests.factories.checkpoints import make_checkpoint
from tests.factories.drafts import proposed, replay
from tests.factories.levels import AUTHOR
from tests.factories.licences import make_licence
from tests.factories.marketplace import TESTER, Marketplace, finish, make_asset
from tests.factories.opa_events import event
from tests.factories.partners import raw_token
from tests.integration.console.rules import spec


@pytest.fixture(autouse=True)
def private_data(settings, tmp_path):
    """Give each test its own object storage, and a cache that needs no server."""
    settings.DATA_DIR = tmp_path
    objects = settings.STORAGES["objects"]
    options = objects["OPTIONS"] | {"location": str(tmp_path / "objects")}
    settings.STORAGES = settings.STORAGES | {"objects": objects | {"OPTIONS": options}}
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    with worm_store.override(FilesystemWormStore(tmp_path / "worm")):
        yield tmp_path


@pytest.fixture(autouse=True)
def sent(monkeypatch) -> list[str]:
    """Catch what is sent to the broker."""
    messages: list[str] = []
    monkeypatch.setattr("celery.current_app.send_task", lambda name, *args, **options: messages.append(name))
    return messages


@pytest.fixture
def market(db, private_data, marketplaces) -> Marketplace:
    return marketplaces.open("console", data=private_data)


@pytest.fixture
def released(market) -> Job:
    """Return a job that went all the way, with everything sealed."""
    job = finish(market.submit().job.id)
    sequence_pending()
    anchor_pending()
    sequence_pending()
    return job


@pytest.fixture
def person(db) -> Callable[..., Client]:
    """Return what logs somebody in who has the given roles; the user is at `client.user`."""
    ensure_roles()

    def build(*roles: str) -> Client:
        user = User.objects.create_user("-".join(roles).lower().replace(" ", "-") or "nobody", is_staff=True)
        user.groups.set(Group.objects.filter(name__in=roles))
        return logged_in(user)

    return build


@pytest.fixture
def boss(db) -> Client:
    """Return a superuser, logged in."""
    return logged_in(User.objects.create_superuser("boss"))


@pytest.fixture
def everything(released, market, boss):
    """Put at least one row into every table of the console."""
    make_asset(CreatorFactory(slug="claimant"), read_verified(market.asset.object_name, market.asset.sha256))
    raw_token(market.client)
    create_rule(spec=spec(), enabled=True, actor_user=boss.user)
    Group.objects.create(name="Interns")
    market.submit(purpose="research")
    replay(proposed())
    freeze_policy(actor=TESTER, reason="A test.")
    store_logs(server=enrol(name="edge-1", actor=TESTER)[0], events=[event()])
    group = create_model_group(slug="imaging", name="Imaging", models=["upscaler"], actor=TESTER)
    create_role(slug="runner", name="Runner", grants=[Grant(group=group)], actor=TESTER)
    make_checkpoint()
    LogAlarm.objects.create(code="log_forked", message="A test.")
    make_report()
    set_hold(reference=WormReference.objects.latest("stored_at"), actor=TESTER, reason="A test.")
    start_scrub(actor=TESTER)
    other = make_licence("other", name="Other", purposes=["research"])
    propose_model_licence(model=market.version.model, licence=other, reason="A test.", actor=AUTHOR)
    return market


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    client.user = user
    return client
