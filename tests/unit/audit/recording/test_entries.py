from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from governance.audit.errors import EntryInvalid
from governance.audit.recording.entries import MAX_ENTRY_BYTES, build_entry, differing_columns, entry_data
from governance.audit.types import Actor, SubjectRef
from governance.kernel.canonical import NotCanonical

ENTRY_ID = UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
AT = datetime(2026, 4, 1, 9, 30, 0, 120, tzinfo=UTC)


@dataclass
class Columns:
    entry_id: UUID = ENTRY_ID
    kind: str = "job.submitted"
    subject_type: str = "job"
    subject_id: str = "0190"
    actor_type: str = "client"
    actor_id: str = "c-1"
    occurred_at: datetime = AT


def built(**given: Any) -> bytes:
    arguments: dict[str, Any] = {
        "entry_id": ENTRY_ID,
        "kind": "job.submitted",
        "subject": SubjectRef("job", "0190"),
        "actor": Actor("client", "c-1"),
        "at": AT,
        "data": {"b": 1, "a": [True, None]},
    }
    return build_entry(**(arguments | given))


def test_entry_bytes_are_fixed() -> None:
    assert built() == (
        b'{"actor":{"id":"c-1","type":"client"},"at":"2026-04-01T09:30:00.000120Z","data":{"a":[true,null],"b":1},'
        b'"entry_id":"017f22e2-79b0-7cc3-98c4-dc0c0c07398f","kind":"job.submitted",'
        b'"subject":{"id":"0190","type":"job"},"v":1}'
    )


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "submitted"},
        {"kind": "Job.submitted"},
        {"kind": "job.submitted "},
        {"kind": "job." + "x" * 61},
        {"subject": SubjectRef("", "1")},
        {"subject": SubjectRef("Job", "1")},
        {"subject": SubjectRef("job", "")},
        {"subject": SubjectRef("job", "x" * 129)},
        {"subject": SubjectRef("creator", "Ada Lovelace")},
        {"subject": SubjectRef("creator", "ada@example.com")},
        {"actor": Actor("person", "1")},
        {"actor": Actor("user", "ada@example.com")},
        {"actor": Actor("user", "line\nbreak")},
        {"data": {"text": "x" * MAX_ENTRY_BYTES}},
    ],
)
def test_what_is_no_entry_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(EntryInvalid) as caught:
        built(**given)

    assert caught.value.error_code == "ledger_entry_invalid"


def test_largest_entry_is_taken() -> None:
    room = MAX_ENTRY_BYTES - len(built(data={"text": ""}))

    assert len(built(data={"text": "x" * room})) == MAX_ENTRY_BYTES


@pytest.mark.parametrize("data", [{"a": object()}, {"a": float("nan")}, {"a": 2**60}])
def test_data_that_is_not_json_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(NotCanonical):
        built(data=data)


def test_data_is_read_back() -> None:
    assert entry_data(built()) == {"a": [True, None], "b": 1}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"data":[1]}', b'{"data":null}'])
def test_bytes_that_are_no_entry_have_no_data(body: bytes) -> None:
    assert entry_data(body) == {}


def test_columns_that_fit_do_not_differ() -> None:
    assert differing_columns(Columns(), built()) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("entry_id", UUID(int=1)),
        ("kind", "job.denied"),
        ("subject_type", "asset"),
        ("subject_id", "0191"),
        ("actor_type", "user"),
        ("actor_id", "c-2"),
        ("occurred_at", AT.replace(microsecond=121)),
    ],
)
def test_each_changed_column_is_named(column: str, value: object) -> None:
    assert differing_columns(Columns(**{column: value}), built()) == [column]  # type: ignore[arg-type]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"entry_id":1,"kind":2,"subject":[]}'])
def test_bytes_that_are_no_entry_differ_as_a_whole(body: bytes) -> None:
    assert differing_columns(Columns(), body) == ["body"]


def test_names_of_subject_and_actor() -> None:
    assert str(SubjectRef("job", "1")) == "job:1"
    assert str(Actor("user", "2")) == "user:2"
