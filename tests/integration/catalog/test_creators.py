"""Creators: each change is on record with the state before and after it, personal data as commitments."""

import json
from typing import Any

import pytest
from django.db import IntegrityError

from governance.audit.errors import ChangedMeanwhile
from governance.audit.evidence.commitments import commit, open_commitment
from governance.audit.models import OutboxEntry
from governance.catalog import creators
from governance.catalog.errors import CreatorErased, CreatorInvalid
from governance.catalog.models import Creator
from governance.catalog.states import CREATORS
from tests.factories.catalog import ACTOR, CreatorFactory

pytestmark = pytest.mark.django_db

ADA = {"display_name": "Ada Lovelace", "email": "ada@example.com", "region": "GB", "uploaders": ["lumen", "lumen"]}


def recorded(kind: str) -> list[dict[str, Any]]:
    """Return the ledger entries of a kind, as they were written."""
    return [json.loads(bytes(entry.body)) for entry in OutboxEntry.objects.filter(kind=kind).order_by("id")]


def create(**said: Any) -> Creator:
    return creators.create_creator(**{"slug": "ada", "actor": ACTOR} | ADA | said)


def change(creator: Creator, **said: Any) -> Creator:
    return creators.change_creator(**{"creator": creator, "actor": ACTOR} | ADA | said)


def test_a_new_creator_is_on_record_with_commitments_to_what_is_personal() -> None:
    creator = create()

    assert Creator.objects.get() == creator
    [entry] = recorded("creator.created")
    assert entry["subject"] == {"type": "creator", "id": str(creator.id)}
    assert (entry["data"]["before"], entry["data"]["after"]) == (None, CREATORS.state(creator))
    after = entry["data"]["after"]
    assert {name: after[name] for name in ("slug", "region", "status", "uploaders", "erased", "status_reason")} == {
        "slug": "ada",
        "region": "GB",
        "status": "active",
        "uploaders": ["lumen"],
        "erased": False,
        "status_reason": None,
    }
    assert open_commitment(
        subject=CREATORS.ref(creator), name="email", value="ada@example.com", commitment=after["email"]["commitment"]
    )
    assert "ovelace" not in json.dumps(entry)


def test_a_change_is_on_record_with_both_states() -> None:
    creator = create()

    changed = change(creator, region="SE", email="", uploaders=[])

    [entry] = recorded("creator.changed")
    before, after = entry["data"]["before"], entry["data"]["after"]
    assert before == recorded("creator.created")[0]["data"]["after"]
    assert after == CREATORS.state(changed) == before | {"region": "SE", "email": None, "uploaders": []}
    assert entry["data"]["fields"] == ["email", "region", "uploaders"]


def test_a_new_name_gets_a_new_commitment() -> None:
    creator = create()

    change(creator, display_name="Ada King")

    [entry] = recorded("creator.changed")
    before, after = entry["data"]["before"], entry["data"]["after"]
    assert after["display_name"] not in (None, before["display_name"])
    assert after["email"] == before["email"]
    kept = recorded("creator.committed")
    assert [sorted(each["data"]["commitments"]) for each in kept] == [["display_name", "email"], ["display_name"]]
    assert kept[1]["data"]["commitments"]["display_name"] == after["display_name"]["commitment"]


def test_the_state_finds_a_name_that_was_changed_behind_the_services() -> None:
    creator = create()
    before = CREATORS.state(creator)

    Creator.objects.update(display_name="Somebody else")

    assert CREATORS.state(CREATORS.rows().get())["display_name"] != before["display_name"]


def test_state_is_the_same_with_and_without_salts_read_ahead(django_assert_num_queries: Any) -> None:
    creator = create()
    commit_again = CREATORS.ref(creator)
    commit(subject=commit_again, name="email", value="ada@example.com")

    row = CREATORS.rows().get()
    with django_assert_num_queries(0):
        state = CREATORS.state(row)

    assert state == CREATORS.state(Creator.objects.get())


def test_a_change_to_what_is_there_is_not_recorded() -> None:
    change(create())

    assert recorded("creator.changed") == []


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("slug", {"slug": "two words"}),
        ("display_name", {"display_name": " "}),
        ("display_name", {"display_name": "x" * 201}),
        ("email", {"email": "nowhere"}),
        ("region", {"region": "XX"}),
        ("uploaders", {"uploaders": ["Lumen Prints"]}),
    ],
)
def test_what_cannot_be_on_file_names_the_field(field: str, said: dict[str, Any]) -> None:
    with pytest.raises(CreatorInvalid) as refusal:
        create(**said)

    assert refusal.value.details == {"field": field}
    assert (Creator.objects.count(), OutboxEntry.objects.count()) == (0, 0)


def test_a_slug_is_taken_once() -> None:
    create()

    with pytest.raises(CreatorInvalid) as refusal:
        create()

    assert refusal.value.details == {"field": "slug"}
    assert len(recorded("creator.created")) == 1


def test_a_change_prepared_from_an_older_state_is_refused() -> None:
    creator = create()
    seen = CREATORS.state(creator)
    change(creator, email="king@example.com")

    with pytest.raises(ChangedMeanwhile) as refusal:
        change(creator, region="SE", seen=seen)

    assert list(refusal.value.details["changes"]) == ["email"]
    kept = Creator.objects.get()
    assert (kept.region, kept.email) == ("GB", "king@example.com")


def test_an_erased_creator_is_not_changed() -> None:
    creator = CreatorFactory(
        display_name="Erased creator", email="", status="suspended", erased_at="2026-01-01T00:00:00Z"
    )

    with pytest.raises(CreatorErased):
        change(creator)


def test_suspension_and_its_end_begin_epochs_and_are_on_record() -> None:
    creator = create()

    suspended = creators.suspend_creator(creator=creator, reason="Ada is under age.", actor=ACTOR)
    creators.suspend_creator(creator=creator, reason="Once more.", actor=ACTOR)
    reinstated = creators.reinstate_creator(creator=creator, reason="She is not.", actor=ACTOR)

    assert (suspended.status, suspended.status_reason, suspended.consent_epoch) == (
        "suspended",
        "Ada is under age.",
        1,
    )
    assert (reinstated.status, reinstated.status_reason, reinstated.consent_epoch) == ("active", "She is not.", 2)
    first, second = recorded("creator.status_changed")
    assert (first["data"]["status"], first["data"]["epoch"]) == ("suspended", 1)
    assert (second["data"]["status"], second["data"]["epoch"]) == ("active", 2)
    assert second["data"]["before"] == first["data"]["after"]
    reason = first["data"]["after"]["status_reason"]["commitment"]
    assert open_commitment(
        subject=CREATORS.ref(creator), name="status_reason", value="Ada is under age.", commitment=reason
    )
    assert "under age" not in json.dumps(first)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 301, "two\nlines"])
def test_a_suspension_needs_a_reason(reason: str) -> None:
    with pytest.raises(CreatorInvalid) as refusal:
        creators.suspend_creator(creator=CreatorFactory(), reason=reason, actor=ACTOR)

    assert refusal.value.details == {"field": "reason"}
    assert Creator.objects.get().status == "active"


def test_a_change_whose_entry_fails_is_rolled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **_: object) -> None:
        raise IntegrityError

    creator = create()
    monkeypatch.setattr(creators, "record", fail)

    with pytest.raises(IntegrityError):
        change(creator, region="SE")
    with pytest.raises(IntegrityError):
        creators.suspend_creator(creator=creator, reason="A claim.", actor=ACTOR)

    kept = Creator.objects.get()
    assert (kept.region, kept.status, kept.consent_epoch) == ("GB", "active", 0)
