"""Strict reading of JSON."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.kernel.json_reading import (
    ANY_INTEGER,
    JsonRefused,
    read_json,
    read_json_items,
    read_json_object,
)

#: JSON that every reader understands in the same way.
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(value=VALUES, ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
def test_whatever_has_one_meaning_is_read_as_written(value: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)

    assert read_json(f" {text}\n") == value
    assert read_json(text.encode()) == value
    assert read_json_items(f"[{text}, {text}]") == [value, value]


REFUSED = [
    ('{"a": 1, "a": 1}', "the name occurs twice in one object", "a"),
    ('{"a": 1, "\\u0061": 2}', "the name occurs twice in one object", "a"),
    ('{"b": [0, {"c": {"a": 1, "x": 2, "a": 3}}]}', "the name occurs twice in one object", "b.1.c.a"),
    ('{"": 1, "": 2, "x": 3}', "the name occurs twice in one object", ""),
    ('{"a": NaN}', "NaN is not a number in JSON", "a"),
    ('{"a": [1, -Infinity]}', "-Infinity is not a number in JSON", "a.1"),
    ("[1e400]", "the number is larger than a reader can hold", "0"),
    ("[9007199254740992]", "the integer is larger than 9007199254740991", "0"),
    ("[-9007199254740992]", "the integer is larger than 9007199254740991", "0"),
    ("9" * 10_000, "the integer is larger than 9007199254740991", ""),
    ('{"a": "\\ud800"}', "the text holds half of a surrogate pair", "a"),
    ('{"a": "\\udc00\\ud800"}', "the text holds half of a surrogate pair", "a"),
    ('{"a": {"\\udfff": 1}}', "a name holds half of a surrogate pair", "a"),
    ('["\ud800"]', "character 3 is half of a surrogate pair", ""),
    ("[" * 65 + "]" * 65, "it is nested more than 64 levels deep", ""),
    ('{"a":' * 65 + "1" + "}" * 65, "it is nested more than 64 levels deep", ""),
    ("[" * 100_000 + "]" * 100_000, "it is nested more than 64 levels deep", ""),
    ("[" * 100_000, "it is not JSON: A list or an object is not closed in line 1, column 100001", ""),
    ("", "it is not JSON: Expecting value in line 1, column 1", ""),
    ("\ufeff{}", "it is not JSON: Expecting value in line 1, column 1", ""),
    ('{"a": 1} {}', "it is not JSON: More follows after the value in line 1, column 9", ""),
    ("{'a': 1}", "it is not JSON: Expecting property name enclosed in double quotes in line 1, column 2", ""),
    ('{"a": "\n"}', "it is not JSON: Invalid control character at in line 1, column 8", ""),
    ("[01]", "it is not JSON: Expecting ',' delimiter in line 1, column 3", ""),
]


@pytest.mark.parametrize(("text", "reason", "place"), REFUSED)
def test_what_readers_could_understand_differently_is_refused_with_its_place(
    text: str, reason: str, place: str
) -> None:
    with pytest.raises(JsonRefused) as caught:
        read_json(text)

    assert (caught.value.reason, caught.value.place) == (reason, place)


@pytest.mark.parametrize("data", [b'{"a": "\xff"}', "{}".encode("utf-16"), b'"\xed\xa0\x80"', b"\xef\xbb\xbf{}"])
def test_bytes_other_than_plain_utf_8_are_refused(data: bytes) -> None:
    with pytest.raises(JsonRefused, match=r"it is not UTF-8|it is not JSON"):
        read_json(data)


def test_a_place_in_a_message_is_short_and_printable() -> None:
    with pytest.raises(JsonRefused) as caught:
        read_json(json.dumps({"\n" * 10_000: [float("nan")]}))

    assert len(str(caught.value)) < 120
    assert "\n" not in str(caught.value)


def test_limits_are_the_callers() -> None:
    assert read_json("[[1]]", depth=2) == [[1]]
    assert read_json("18446744073709552000", max_integer=ANY_INTEGER) == 18446744073709552000
    with pytest.raises(JsonRefused, match="nested more than 1 levels"):
        read_json("[[1]]", depth=1)
    with pytest.raises(JsonRefused, match="the integer is larger"):
        read_json("9" * 400, max_integer=ANY_INTEGER)


def test_escaped_pairs_of_surrogates_are_read() -> None:
    assert read_json('"\\ud83d\\ude00"') == "\U0001f600"


def test_an_object_can_be_demanded() -> None:
    assert read_json_object('{"a": 1}') == {"a": 1}
    with pytest.raises(JsonRefused, match=r"it is not an object"):
        read_json_object("[]")


def test_a_refused_item_leaves_the_others_as_they_are() -> None:
    bad = ['{"a": 1, "a": 2}', "NaN", "1e999", '"\\ud800"', "[" * 5000 + '"]"' + "]" * 5000, "[" * 70 + "]" * 70]

    items = read_json_items("[ 1 ," + " , ".join([*bad, '{"b": []}']) + "]")

    assert items[0] == 1
    assert [type(item) for item in items[1:-1]] == [JsonRefused] * len(bad)
    assert items[-1] == {"b": []}


def test_a_list_may_be_empty() -> None:
    assert read_json_items(" [ ] ") == []


@pytest.mark.parametrize("text", ["", "{}", "[", "[1", "[1,", "[1,]", "[1 2]", "[1] x", "[] x", "null", "[" * 5000])
def test_what_is_no_list_is_refused_as_a_whole(text: str) -> None:
    with pytest.raises(JsonRefused, match=r"it is not JSON|it is not a list"):
        read_json_items(text)


@pytest.mark.parametrize("rest", ["", ",", ',{"a', ',{"a":"}', " " * 100, ',"' + "x" * 100, "," + "[" * 100])
def test_of_the_beginning_of_a_list_the_whole_items_are_read(rest: str) -> None:
    items = read_json_items(f'[{{"a":1}},{{"b":1,"b":2}},{{"é":2}}{rest}'.encode(), cut=True)
    assert (items[0], items[2]) == ({"a": 1}, {"é": 2})
    assert isinstance(items[1], JsonRefused)


@pytest.mark.parametrize("text", ["", "[", " [ ", "7", "[x"])
def test_of_what_is_no_beginning_of_a_list_nothing_is_read(text: str) -> None:
    assert read_json_items(text, cut=True) == []


def test_where_an_item_is_refused_only_so_many_are_read() -> None:
    items = read_json_items('[{"a":1,"a":2},1,2,3', most=2)
    assert (items[1], len(items)) == (1, 3)
    assert isinstance(items[2], JsonRefused)
