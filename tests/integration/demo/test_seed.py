"""The demo marketplace is made by the services, so the ledger tells of all of it."""

import pytest
from django.contrib.auth.models import User

from governance.audit.models import OutboxEntry
from governance.audit.recording.state_checks import state_faults
from governance.audit.recording.states import recorded_objects
from governance.audit.tally import Tally
from governance.console.roles import ensure_roles
from governance.demo.seed import seed
from tests.factories.states import put_on_record


def test_everything_in_the_demo_is_on_record(db: None) -> None:
    put_on_record()
    ensure_roles()
    seed()

    assert list(state_faults(Tally())) == []
    assert {"tier", "partner", "client", "user", "group", "creator", "dataset", "asset"} <= recorded_objects().keys()
    assert OutboxEntry.objects.filter(kind="partner.created").count() == 2


def test_the_demo_has_one_account_whose_password_is_reported(db: None) -> None:
    told = seed()

    admin = User.objects.get(is_superuser=True)
    assert admin.username == told["console_username"]
    assert admin.check_password(told["console_password"])


def test_the_demo_is_not_mixed_into_real_data(db: None) -> None:
    seed()

    with pytest.raises(RuntimeError, match="only for an empty one"):
        seed()
