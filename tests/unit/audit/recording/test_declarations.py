"""Kinds of entries: what may be declared, and what the declarations say."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import pytest

from governance.audit.errors import EntryInvalid
from governance.audit.recording import declarations
from governance.audit.recording.declarations import Entry, Since, entry, kinds_of
from governance.audit.recording.states import StateEntry
from governance.kernel.canonical import Json


class Colour(StrEnum):
    RED = "red"


@pytest.fixture(autouse=True)
def own_declarations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget after the test what it declares."""
    monkeypatch.setattr(declarations, "_declared", {})


def test_a_declaration_says_all_of_a_kind() -> None:
    @entry("thing.made", subject="thing", receipt="thing/v1", since="0.2", unmatched="There is no table of things.")
    class ThingMade(Entry):
        """A thing
        was made."""

        colour: Annotated[Colour, "Its colour."]
        parts: Annotated[tuple[str, ...], "Its parts."]
        made: Annotated[datetime | None, Since("0.3"), "When it was made."]

    said = ThingMade.declaration
    assert (said.kind, said.subjects, said.receipt, said.since) == ("thing.made", ("thing",), "thing/v1", "0.2")
    assert (said.meaning, said.unmatched) == ("A thing was made.", "There is no table of things.")
    assert [(each.name, each.json_type, each.meaning, each.since) for each in said.fields] == [
        ("colour", "string", "Its colour.", "0.2"),
        ("parts", "array of string", "Its parts.", "0.2"),
        ("made", "RFC 3339 time or null", "When it was made.", "0.3"),
    ]


def test_an_entry_becomes_plain_json() -> None:
    @entry("thing.made", subject="thing")
    class ThingMade(Entry):
        """A thing was made."""

        left_out_when_none = frozenset({"note"})

        thing: Annotated[UUID, "Its id."]
        note: Annotated[str | None, "A note."]
        owner: Annotated[str | None, "Its owner."]

    made = ThingMade(thing=UUID(int=1), note=None, owner=None)
    assert made.to_data() == {"thing": str(UUID(int=1)), "owner": None}


def test_a_field_may_have_a_name_that_python_reserves() -> None:
    @entry("thing.moved", subject="thing")
    class ThingMoved(Entry):
        """A thing was moved."""

        from_: Annotated[str, "Where it was."]

    assert ThingMoved(from_="here").to_data() == {"from": "here"}
    assert [each.name for each in ThingMoved.declaration.fields] == ["from"]


def test_a_state_entry_holds_the_state_before_and_after() -> None:
    @entry("thing.painted", subject="thing")
    class ThingPainted(StateEntry):
        """A thing was painted."""

        at: Annotated[datetime, "When."]

    before: dict[str, Json] = {"colour": "red", "sizes": [1, 2]}
    painted = ThingPainted(before=before, after=None, at=datetime(2026, 4, 1, tzinfo=UTC))
    assert painted.to_data() == {"before": before, "after": None, "at": "2026-04-01T00:00:00.000000Z"}
    described = {each.name: (each.json_type, each.since) for each in painted.declaration.fields}
    assert described == {
        "before": ("object or null", "0.2"),
        "after": ("object or null", "0.2"),
        "at": ("RFC 3339 time", "0.1"),
    }


def test_the_base_of_a_family_stands_for_all_its_kinds() -> None:
    class Painted(Entry):
        """A thing was painted."""

    @entry("thing.red", subject="thing")
    class PaintedRed(Painted):
        """A thing was painted red."""

    @entry("thing.blue", subject="thing")
    class PaintedBlue(Painted):
        """A thing was painted blue."""

    @entry("thing.lost", subject="thing")
    class Lost(Entry):
        """A thing was lost."""

    assert kinds_of(Painted) == ("thing.blue", "thing.red")
    assert kinds_of(PaintedRed, Lost) == ("thing.lost", "thing.red")


@pytest.mark.parametrize("kind", ["thing", "Thing.made", "thing.made!", "thing." + "a" * 60])
def test_a_kind_of_another_form_is_refused(kind: str) -> None:
    with pytest.raises(EntryInvalid, match="is not a kind of entry"):
        entry(kind, subject="thing")


def test_a_kind_is_declared_once() -> None:
    @entry("thing.made", subject="thing")
    class ThingMade(Entry):
        """A thing was made."""

    class Again(Entry):
        """A thing was made again."""

    with pytest.raises(EntryInvalid, match=r"'thing\.made' is declared already, by .*ThingMade"):
        entry("thing.made", subject="thing")(Again)


def test_a_field_without_a_meaning_is_refused() -> None:
    class Unclear(Entry):
        """Something happened."""

        colour: str

    with pytest.raises(EntryInvalid, match=r"The field 'colour' of .*Unclear has no meaning"):
        entry("thing.unclear", subject="thing")(Unclear)
