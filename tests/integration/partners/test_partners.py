"""Partners: each action is a service with an entry of its own, with the partner before and after it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from governance.audit.errors import ChangedMeanwhile
from governance.audit.models import OutboxEntry
from governance.audit.recording.states import State
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.partners.choices import PartnerStatus
from governance.partners.entries import PARTNER
from governance.partners.errors import PartnerInvalid, PartnerStatusConflict, PartnerSuspended
from governance.partners.models import Partner
from governance.partners.partners import (
    change_region,
    create_partner,
    move_partner,
    reinstate_partner,
    rename_partner,
    suspend_partner,
)
from governance.partners.queries import live_token
from governance.partners.tokens import revoke_partner_tokens
from tests.factories.audit import newest_data
from tests.factories.partners import ACTOR, PartnerFactory, TierFactory, client_with_secret, raw_token
from tests.threads import in_threads

LUMEN: State = {
    "slug": "lumen-prints",
    "name": "Lumen Prints",
    "tier": "sandbox",
    "region": "DE",
    "status": "active",
    "tokens_valid_after": None,
}


@pytest.fixture
def lumen(db: None) -> Partner:
    return PartnerFactory.create(slug="lumen-prints", name="Lumen Prints", tier=TierFactory.create(slug="sandbox"))


def rename(partner: Partner, **given: Any) -> Partner:
    return rename_partner(partner=partner, name="Lumen Print Works", actor=ACTOR, **given)


def move(partner: Partner, **given: Any) -> Partner:
    return move_partner(partner=partner, tier=TierFactory.create(slug="production"), actor=ACTOR, **given)


def to_france(partner: Partner, **given: Any) -> Partner:
    return change_region(partner=partner, region="FR", actor=ACTOR, **given)


def suspend(partner: Partner, **given: Any) -> Partner:
    return suspend_partner(partner=partner, reason="unpaid", actor=ACTOR, **given)


def reinstate(partner: Partner, **given: Any) -> Partner:
    return reinstate_partner(partner=partner, reason="resolved", actor=ACTOR, **given)


def test_a_new_partner_is_active_and_on_record(lumen: Partner) -> None:
    assert Partner.objects.get().status == PartnerStatus.ACTIVE
    assert newest_data("partner.created", PARTNER.ref(lumen)) == {"before": None, "after": LUMEN}
    assert PARTNER.ref(lumen).id == "lumen-prints"


@pytest.mark.parametrize("wrong", [{"slug": "lumen-prints"}, {"name": ""}, {"region": "Germany"}])
def test_a_partner_that_is_not_valid_is_refused(lumen: Partner, wrong: dict[str, Any]) -> None:
    given = {"slug": "other", "name": "Other", "tier": lumen.tier, "region": "DE", "actor": ACTOR} | wrong

    with pytest.raises(PartnerInvalid) as refused:
        create_partner(**given)

    assert set(refused.value.details["fields"]) == set(wrong)
    assert OutboxEntry.objects.filter(kind="partner.created").count() == 1


@pytest.mark.parametrize(
    ("act", "kind", "change", "said"),
    [
        (rename, "partner.renamed", {"name": "Lumen Print Works"}, {}),
        (move, "partner.moved", {"tier": "production"}, {}),
        (to_france, "partner.region_changed", {"region": "FR"}, {}),
        (suspend, "partner.suspended", {"status": "suspended"}, {"reason": "unpaid"}),
    ],
)
def test_each_action_is_on_record_with_the_partner_before_and_after_it(
    lumen: Partner, act: Callable[[Partner], Partner], kind: str, change: State, said: State
) -> None:
    changed = act(lumen)

    assert newest_data(kind, PARTNER.ref(lumen)) == {"before": LUMEN, "after": LUMEN | change, **said}
    assert PARTNER.state(changed) == PARTNER.present_state(lumen) == LUMEN | change


def test_a_suspended_partner_is_reinstated_with_a_reason(lumen: Partner) -> None:
    reinstate(suspend(lumen))

    assert newest_data("partner.reinstated", PARTNER.ref(lumen)) == {
        "before": LUMEN | {"status": "suspended"},
        "after": LUMEN,
        "reason": "resolved",
    }
    assert Partner.objects.get().status == PartnerStatus.ACTIVE


def test_tokens_are_refused_during_a_suspension_and_work_again_after_it(lumen: Partner) -> None:
    raw = raw_token(client_with_secret(lumen)[0])
    suspend(lumen)
    with pytest.raises(PartnerSuspended):
        live_token(raw)

    reinstate(lumen)

    assert live_token(raw).partner == lumen


def test_a_partner_is_not_suspended_or_reinstated_twice(lumen: Partner) -> None:
    with pytest.raises(PartnerStatusConflict, match="lumen-prints is active already"):
        reinstate(lumen)
    suspend(lumen)
    with pytest.raises(PartnerStatusConflict, match="lumen-prints is suspended already"):
        suspend(lumen)

    assert OutboxEntry.objects.filter(kind="partner.suspended").count() == 1
    assert not OutboxEntry.objects.filter(kind="partner.reinstated").exists()


def test_what_is_refused_changes_nothing(lumen: Partner) -> None:
    with pytest.raises(PartnerInvalid):
        rename_partner(partner=lumen, name="", actor=ACTOR)
    with pytest.raises(PartnerInvalid):
        change_region(partner=lumen, region="Germany", actor=ACTOR)

    assert PARTNER.present_state(lumen) == LUMEN
    assert OutboxEntry.objects.filter(subject_type="partner").count() == 1


def test_a_change_to_what_is_already_so_is_not_recorded(lumen: Partner) -> None:
    rename_partner(partner=lumen, name="Lumen Prints", actor=ACTOR)
    move_partner(partner=lumen, tier=lumen.tier, actor=ACTOR)
    change_region(partner=lumen, region="DE", actor=ACTOR)

    assert OutboxEntry.objects.filter(subject_type="partner").count() == 1


def test_what_is_rolled_back_leaves_no_entry(lumen: Partner) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        _ = len(suspend(lumen).slug) / 0

    assert PARTNER.present_state(lumen) == LUMEN
    assert not OutboxEntry.objects.filter(kind="partner.suspended").exists()


def test_an_action_from_an_old_copy_leaves_what_others_changed(lumen: Partner) -> None:
    suspend(Partner.objects.get())
    with clock.using(ManualClock(clock.now())):
        revoke_partner_tokens(partner=Partner.objects.get(), actor=ACTOR, reason="secret_leaked")

    rename(lumen)

    present = Partner.objects.get()
    assert (present.status, present.name) == (PartnerStatus.SUSPENDED, "Lumen Print Works")
    assert present.tokens_valid_after is not None


@pytest.mark.parametrize("act", [rename, move, to_france, suspend])
def test_an_action_decided_on_an_old_state_is_refused(lumen: Partner, act: Callable[..., Partner]) -> None:
    revoke_partner_tokens(partner=lumen, actor=ACTOR, reason="secret_leaked")

    with pytest.raises(ChangedMeanwhile) as refused:
        act(lumen, seen=LUMEN)

    assert set(refused.value.details["changes"]) == {"tokens_valid_after"}


def test_a_partner_is_never_saved_as_a_whole(lumen: Partner) -> None:
    lumen.status = PartnerStatus.SUSPENDED

    with pytest.raises(ValueError, match="update_fields"):
        lumen.save()

    assert Partner.objects.get().status == PartnerStatus.ACTIVE


@pytest.mark.django_db(transaction=True)
def test_of_two_suspensions_at_once_one_is_recorded() -> None:
    partner = PartnerFactory.create()

    outcomes = in_threads(lambda: suspend(partner), lambda: suspend(partner))

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Partner", "PartnerStatusConflict"]
    assert OutboxEntry.objects.filter(kind="partner.suspended").count() == 1
