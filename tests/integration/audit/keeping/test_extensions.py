from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from governance.audit.choices import WormKind
from governance.audit.entries import RETENTION
from governance.audit.errors import ChangedMeanwhile, RetentionClassInvalid, WormObjectAltered, WormRetentionInvalid
from governance.audit.evidence.anchoring import anchor_evidence
from governance.audit.keeping.extensions import (
    add_retention_class,
    change_retention_class,
    extend_object,
    remove_retention_class,
)
from governance.audit.keeping.retention import FOREVER_DAYS, Retention, retention_called, retention_for
from governance.audit.keeping.worm import store_object
from governance.audit.models import OutboxEntry, RetentionClass, WormReference
from governance.audit.recording.entries import entry_data
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.audit.types import Actor, SubjectRef
from governance.audit.verification import verify_all
from governance.kernel import clock
from tests.factories.audit import example_predicate, issued_evidence, newest_data

pytestmark = pytest.mark.django_db

ADA = Actor("user", "1")
DAY = timedelta(days=1)


STATE = {"slug": "evidence", "kind": "evidence", "partner": "", "region": ""}


def a_class(days: int | None, *, partner: str = "", region: str = "", **given: Any) -> RetentionClass:
    slug = "-".join(["evidence", *filter(None, (partner, region.lower()))])
    arguments = {"slug": slug, "name": slug, "kind": WormKind.EVIDENCE, "partner": partner, "region": region}
    return add_retention_class(**(arguments | given), days=days, actor=ADA)


def entry(kind: str) -> dict[str, Any]:
    row = OutboxEntry.objects.filter(kind=kind).latest("id")
    return dict(entry_data(bytes(row.body)))


# which class counts


def test_every_installation_starts_with_a_class_for_each_kind() -> None:
    found = {row.kind: row.days for row in RetentionClass.objects.filter(partner="", region="")}

    assert found == {"evidence": 2557, "policy": 3653, "checkpoint": None}


def test_without_any_class_the_same_counts(settings: Any) -> None:
    RetentionClass.objects.all().delete()

    assert {kind: retention_for(kind=kind).days for kind in WormKind} == {
        WormKind.EVIDENCE: settings.ASSENT_EVIDENCE_RETENTION_DAYS,
        WormKind.POLICY: 3653,
        WormKind.CHECKPOINT: None,
    }


@pytest.mark.parametrize(
    ("partner", "region", "days"),
    [
        ("", "", 2557),
        ("acme", "", 30),
        ("other", "DE", 40),
        ("acme", "DE", 50),
        ("acme", "FR", 30),
        ("other", "", 2557),
    ],
)
def test_the_narrowest_class_counts(partner: str, region: str, days: int) -> None:
    a_class(30, partner="acme")
    a_class(40, region="DE")
    a_class(50, partner="acme", region="DE")

    assert retention_for(kind=WormKind.EVIDENCE, partner=partner, region=region).days == days
    assert retention_for(kind=WormKind.POLICY, partner=partner, region=region).days == 3653


def test_a_class_that_was_removed_gives_way_to_the_general_one() -> None:
    row = a_class(30, partner="acme")
    assert retention_called("evidence-acme", kind=WormKind.EVIDENCE) == Retention("evidence-acme", 30)

    remove_retention_class(row=row, actor=ADA)

    assert retention_called("evidence-acme", kind=WormKind.EVIDENCE) == Retention("evidence", 2557)
    assert entry("retention.removed") == {
        "kind": "evidence",
        "partner": "acme",
        "region": "",
        "days": 30,
        "days_before": 30,
        "before": {**STATE, "slug": "evidence-acme", "name": row.name, "partner": "acme", "days": 30},
        "after": None,
    }


def test_for_ever_is_a_hundred_years_that_roll_on() -> None:
    now = clock.now()
    for_ever = Retention("checkpoint", None)
    first = for_ever.until(now)

    assert first == now + timedelta(days=FOREVER_DAYS)
    assert for_ever.due(stored_at=now, retain_until=first, now=now + 300 * DAY) == first
    later = now + 400 * DAY
    assert for_ever.due(stored_at=now, retain_until=first, now=later) == later + timedelta(days=FOREVER_DAYS)


def test_what_is_due_is_never_earlier_than_what_was_promised() -> None:
    now = clock.now()

    assert Retention("x", 10).due(stored_at=now, retain_until=now + 20 * DAY, now=now) == now + 20 * DAY
    assert Retention("x", 30).due(stored_at=now, retain_until=now + 20 * DAY, now=now) == now + 30 * DAY


# changing classes


def general(kind: str) -> RetentionClass:
    return RetentionClass.objects.get(kind=kind, partner="", region="")


def test_a_change_is_recorded() -> None:
    row = change_retention_class(row=general("evidence"), name="Longer", days=3000, actor=ADA)

    assert (row.days, row.slug, row.name) == (3000, "evidence", "Longer")
    assert entry("retention.changed") == {
        "kind": "evidence",
        "partner": "",
        "region": "",
        "days": 3000,
        "days_before": 2557,
        "before": {**STATE, "name": "Evidence", "days": 2557},
        "after": {**STATE, "name": "Longer", "days": 3000},
    }


@pytest.mark.parametrize("scope", [{"partner": "acme"}, {"region": "DE"}])
@pytest.mark.parametrize("kind", [WormKind.POLICY, WormKind.CHECKPOINT])
def test_only_evidence_has_classes_of_its_own(kind: WormKind, scope: dict[str, str]) -> None:
    with pytest.raises(RetentionClassInvalid, match="Only evidence"):
        a_class(30, kind=kind, slug="x", **scope)


def test_a_change_prepared_from_an_older_state_is_refused() -> None:
    row = a_class(30, partner="lumen")
    seen = RETENTION.state(row)
    change_retention_class(row=row, name="Lumen", days=60, actor=ADA)

    with pytest.raises(ChangedMeanwhile) as refused:
        change_retention_class(row=row, name="Lumen", days=10, actor=ADA, seen=seen)

    assert set(refused.value.details["changes"]) == {"days", "name"}
    assert RetentionClass.objects.get(slug=row.slug).days == 60
    change_retention_class(row=row, name="Lumen", days=90, actor=ADA, seen=RETENTION.present_state(row))
    assert RetentionClass.objects.get(slug=row.slug).days == 90


def test_a_removal_records_what_the_class_was_in_the_end() -> None:
    row = a_class(30, partner="lumen")
    change_retention_class(row=row, name="Lumen", days=60, actor=ADA)

    remove_retention_class(row=row, actor=ADA)

    assert newest_data("retention.removed", RETENTION.ref(row))["before"]["days"] == 60
    with pytest.raises(ChangedMeanwhile):
        remove_retention_class(row=row, actor=ADA)


def test_the_upgrade_puts_each_class_on_record() -> None:
    a_class(30, partner="lumen", region="DE")
    a_class(None, region="FR")

    import_module("governance.audit.migrations.0008_retention_on_record").adopt(apps, connection.schema_editor())

    for row in RETENTION.rows():
        assert newest_data("retention.adopted", RETENTION.ref(row)) == {"before": None, "after": RETENTION.state(row)}
    assert OutboxEntry.objects.filter(kind="retention.adopted", actor_id="upgrade").count() == RETENTION.rows().count()


def test_there_is_one_class_for_each_scope() -> None:
    a_class(30, partner="acme")

    assert entry("retention.added")["partner"] == "acme"
    with pytest.raises(RetentionClassInvalid, match="already"):
        a_class(40, partner="acme", slug="another")
    with pytest.raises(RetentionClassInvalid, match="already"):
        a_class(40, partner="other", slug="evidence-acme")


def test_a_general_class_is_not_removed() -> None:
    with pytest.raises(RetentionClassInvalid, match="cannot be removed"):
        remove_retention_class(row=RetentionClass.objects.get(slug="evidence"), actor=ADA)


# storing and extending


def test_evidence_is_kept_as_its_partners_contract_says() -> None:
    a_class(30, partner="acme", region="DE")
    evidence = issued_evidence(predicate=example_predicate("job-outcome/v1", partner="acme", region="DE"))

    reference = anchor_evidence(evidence_id=evidence.id)

    assert reference.retention_class == "evidence-acme-de"
    assert reference.retain_until - reference.stored_at < 31 * DAY


def stored(data: bytes = b"x", **given: Any) -> WormReference:
    arguments: dict[str, Any] = {"kind": WormKind.POLICY, "subject": SubjectRef("revision", "1"), "key": "policy/1"}
    return store_object(**(arguments | given), data=data)


def test_the_same_object_again_is_the_same_reference_kept_longer() -> None:
    first = stored()
    change_retention_class(row=general("policy"), name="Longer", days=5000, actor=ADA)

    again = stored()

    assert again.pk == first.pk
    assert again.retain_until > first.retain_until + 1000 * DAY
    assert WormReference.objects.get().retain_until == again.retain_until
    change_retention_class(row=general("policy"), name="Shorter", days=1, actor=ADA)
    assert stored().retain_until == again.retain_until


def test_a_store_that_says_that_it_holds_other_bytes_is_not_believed(
    store: FilesystemWormStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = store.put(key="other", data=b"other", retain_until=clock.now() + DAY)
    monkeypatch.setattr(store, "put", lambda **given: other)

    with pytest.raises(WormObjectAltered):
        stored()


def test_an_object_is_extended_in_the_store_and_on_record(store: FilesystemWormStore) -> None:
    reference = anchor_evidence(evidence_id=issued_evidence().id)
    until = reference.retain_until + DAY

    extended = extend_object(reference=reference, until=until, actor=ADA)

    assert extended.retain_until == until == WormReference.objects.get().retain_until
    assert store.head(uri=reference.uri, version_id=reference.version_id).retain_until == until
    assert entry("worm.extended")["uri"] == reference.uri
    with pytest.raises(WormRetentionInvalid):
        extend_object(reference=reference, until=until - DAY, actor=ADA)
    assert verify_all().faults == ()
