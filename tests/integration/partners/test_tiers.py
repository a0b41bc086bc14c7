"""Tiers: every change by a service, on record with the tier before and after it."""

import pytest
from django.db import transaction

from governance.audit.errors import ChangedMeanwhile
from governance.audit.models import OutboxEntry
from governance.audit.recording.states import State
from governance.partners.entries import TIER
from governance.partners.errors import TierInUse, TierInvalid
from governance.partners.models import Tier
from governance.partners.tiers import change_tier, create_tier, delete_tier
from governance.partners.types import ImageLimits
from tests.factories.audit import newest_data
from tests.factories.partners import ACTOR, PartnerFactory, TierFactory
from tests.threads import in_threads

TRIAL: State = {"slug": "trial", "name": "Trial", "requests_per_minute": 60, "max_open_jobs": 5}


def test_a_new_tier_is_on_record_as_it_is(db: None) -> None:
    tier = create_tier(slug="trial", name="Trial", requests_per_minute=60, max_open_jobs=5, actor=ACTOR)

    assert Tier.objects.get() == tier
    assert newest_data("tier.created", TIER.ref(tier)) == {"before": None, "after": TRIAL}


@pytest.mark.parametrize("given", [{"slug": "no slug"}, {"name": ""}, {"requests_per_minute": -1}])
def test_a_tier_that_is_not_valid_is_refused(db: None, given: dict[str, object]) -> None:
    with pytest.raises(TierInvalid) as refused:
        create_tier(**(TRIAL | given), actor=ACTOR)  # type: ignore[arg-type]

    assert set(refused.value.details["fields"]) == set(given)
    assert not OutboxEntry.objects.exists()


def test_a_slug_is_taken_once(db: None) -> None:
    TierFactory.create(slug="trial")

    with pytest.raises(TierInvalid, match="not valid"):
        create_tier(slug="trial", name="Other", requests_per_minute=1, max_open_jobs=1, actor=ACTOR)


def test_a_change_says_what_was_and_what_is(db: None) -> None:
    tier = TierFactory.create(slug="trial", name="Trial", requests_per_minute=60, max_open_jobs=5)

    changed = change_tier(tier=tier, name="Trial", requests_per_minute=90, max_open_jobs=5, actor=ACTOR)

    assert changed.requests_per_minute == Tier.objects.get().requests_per_minute == 90
    assert newest_data("tier.changed", TIER.ref(tier)) == {
        "before": TRIAL,
        "after": TRIAL | {"requests_per_minute": 90},
    }


def test_limits_of_images_are_on_record_where_a_tier_has_them(db: None) -> None:
    tier = create_tier(**TRIAL, images=ImageLimits(max_image_pixels=1000, max_image_edge=90), actor=ACTOR)  # type: ignore[arg-type]
    limited = TRIAL | {"max_image_pixels": 1000, "max_image_edge": 90}
    given: State = {"name": "Trial", "requests_per_minute": 60, "max_open_jobs": 5}

    change_tier(tier=tier, **given, actor=ACTOR)  # type: ignore[arg-type]
    assert TIER.state(Tier.objects.get()) == limited

    change_tier(tier=tier, **given, images=ImageLimits(max_image_edge=80), actor=ACTOR)  # type: ignore[arg-type]
    assert newest_data("tier.changed", TIER.ref(tier)) == {"before": limited, "after": TRIAL | {"max_image_edge": 80}}


@pytest.mark.parametrize("limit", [{"max_image_pixels": 63}, {"max_image_edge": 7}, {"max_image_ratio": 0}])
def test_a_limit_that_no_image_could_keep_is_refused(db: None, limit: dict[str, int]) -> None:
    with pytest.raises(TierInvalid) as refused:
        create_tier(**TRIAL, images=ImageLimits(**limit), actor=ACTOR)  # type: ignore[arg-type]

    assert set(refused.value.details["fields"]) == set(limit)


def test_a_change_that_changes_nothing_leaves_no_entry(db: None) -> None:
    tier = TierFactory.create(name="Trial", requests_per_minute=60, max_open_jobs=5)

    change_tier(tier=tier, name="Trial", requests_per_minute=60, max_open_jobs=5, actor=ACTOR)

    assert not OutboxEntry.objects.filter(kind="tier.changed").exists()


def test_a_change_that_is_refused_changes_nothing(db: None) -> None:
    tier = TierFactory.create(name="Trial")

    with pytest.raises(TierInvalid):
        change_tier(tier=tier, name="", requests_per_minute=1, max_open_jobs=1, actor=ACTOR)

    assert Tier.objects.get().name == "Trial"
    assert not OutboxEntry.objects.filter(kind="tier.changed").exists()


def test_an_unused_tier_is_deleted(db: None) -> None:
    tier = TierFactory.create(slug="trial", name="Trial", requests_per_minute=60, max_open_jobs=5)
    ref = TIER.ref(tier)

    delete_tier(tier=tier, actor=ACTOR)

    assert not Tier.objects.exists()
    assert newest_data("tier.deleted", ref) == {"before": TRIAL, "after": None}


def test_a_tier_that_partners_have_stays(db: None) -> None:
    tier = PartnerFactory.create().tier

    with pytest.raises(TierInUse, match="move them to another tier first"):
        delete_tier(tier=tier, actor=ACTOR)

    assert Tier.objects.get() == tier
    assert not OutboxEntry.objects.filter(kind="tier.deleted").exists()


def test_what_is_rolled_back_leaves_no_entry(db: None) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        _ = create_tier(**TRIAL, actor=ACTOR).max_open_jobs / 0  # type: ignore[arg-type]

    assert not OutboxEntry.objects.exists()
    assert not Tier.objects.exists()


def test_a_change_from_an_old_state_is_refused_with_what_changed_meanwhile(db: None) -> None:
    tier = TierFactory.create(name="Trial", requests_per_minute=60, max_open_jobs=5)
    seen = TIER.state(tier)
    change_tier(tier=tier, name="Trial", requests_per_minute=90, max_open_jobs=5, actor=ACTOR, seen=seen)

    with pytest.raises(ChangedMeanwhile) as refused:
        change_tier(tier=tier, name="Trial", requests_per_minute=60, max_open_jobs=50, actor=ACTOR, seen=seen)

    newest = OutboxEntry.objects.get(kind="tier.changed")
    assert refused.value.error_code == "changed_meanwhile"
    assert refused.value.details == {
        "changes": {"requests_per_minute": {"was": 60, "now": 90}},
        "deleted": False,
        "changed_by": str(ACTOR),
        "changed_at": newest.occurred_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    assert Tier.objects.get().max_open_jobs == 5


def test_a_change_of_a_tier_that_no_longer_exists_is_refused(db: None) -> None:
    tier = TierFactory.create(name="Trial")
    delete_tier(tier=Tier.objects.get(), actor=ACTOR)

    with pytest.raises(ChangedMeanwhile, match="The tier was deleted meanwhile") as refused:
        change_tier(tier=tier, name="Trial", requests_per_minute=1, max_open_jobs=1, actor=ACTOR)

    assert refused.value.details["deleted"] is True


@pytest.mark.django_db(transaction=True)
def test_of_two_writers_at_once_who_saw_the_same_one_is_refused() -> None:
    tier = TierFactory.create(requests_per_minute=60)
    seen = TIER.state(tier)

    def write(limit: int) -> str:
        try:
            change_tier(tier=tier, name=tier.name, requests_per_minute=limit, max_open_jobs=1, actor=ACTOR, seen=seen)
        except ChangedMeanwhile as refused:
            return refused.error_code
        return "written"

    outcomes = in_threads(lambda: write(61), lambda: write(62))

    assert sorted(outcomes) == ["changed_meanwhile", "written"]
    assert OutboxEntry.objects.filter(kind="tier.changed").count() == 1
