import json
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum, StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.kernel.canonical import NotCanonical, canonical_json, digest, sha256_hex, timestamp, to_json_object

# RFC 8785 section 3.2.2 and 3.2.3: the sample object and its canonical bytes.
SAMPLE = r"""
{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}
"""
SAMPLE_CANONICAL = (
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
    '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
)

# RFC 8785 section 3.2.3: sorting by UTF-16 code units.
SORTING = {
    "€": "Euro Sign",
    "\r": "Carriage Return",
    "\ufb33": "Hebrew Letter Dalet With Dagesh",
    "1": "One",
    "\U0001f600": "Emoji: Grinning Face",
    "\u0080": "Control",
    "\u00f6": "Latin Small Letter O With Diaeresis",
}
SORTED_VALUES = [
    "Carriage Return",
    "One",
    "Control",
    "Latin Small Letter O With Diaeresis",
    "Euro Sign",
    "Emoji: Grinning Face",
    "Hebrew Letter Dalet With Dagesh",
]

# RFC 8785 appendix B: IEEE 754 bits and the JSON number.
NUMBERS = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("c340000000000000", "-9007199254740992"),
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef4f", "999999999999999900000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]

JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


class Colour(StrEnum):
    RED = "red"


class Level(Enum):
    TWO = 2


@dataclass(frozen=True, slots=True)
class Point:
    y: int
    x: tuple[Colour, ...]


def test_sample_of_rfc_8785() -> None:
    assert canonical_json(json.loads(SAMPLE)) == SAMPLE_CANONICAL.encode()


def test_names_are_sorted_by_utf_16_code_units() -> None:
    assert list(json.loads(canonical_json(SORTING)).values()) == SORTED_VALUES


@pytest.mark.parametrize(("bits", "text"), NUMBERS)
def test_numbers_of_rfc_8785_appendix_b(bits: str, text: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))

    assert canonical_json(number) == text.encode()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"), '"017f22e2-79b0-7cc3-98c4-dc0c0c07398f"'),
        (datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), '"2026-01-02T03:04:05.000006Z"'),
        (datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))), '"2026-01-02T01:00:00.000000Z"'),
        (Colour.RED, '"red"'),
        (Level.TWO, "2"),
        ({Colour.RED: 1}, '{"red":1}'),
        ((1, [2]), "[1,[2]]"),
        ({"b", "a"}, '["a","b"]'),
        (frozenset({3, 1, 2}), "[1,2,3]"),
        (Point(y=1, x=(Colour.RED,)), '{"x":["red"],"y":1}'),
    ],
)
def test_python_values_have_one_form(value: object, text: str) -> None:
    assert canonical_json(value) == text.encode()


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        2**53,
        "\ud800",
        {1: "number as name"},
        {"a": object()},
        b"bytes",
        Point,
        {1, "mixed"},
        datetime(2026, 1, 1),  # noqa: DTZ001
    ],
)
def test_values_without_a_canonical_form_are_refused(value: object) -> None:
    with pytest.raises(NotCanonical) as caught:
        canonical_json(value)

    assert caught.value.error_code == "not_canonical"


@given(JSON_VALUES)
def test_canonical_form_is_a_fixed_point(value: Any) -> None:
    once = canonical_json(value)

    assert canonical_json(json.loads(once, parse_int=float)) == once


@given(st.dictionaries(st.text(), st.integers(0, 9)))
def test_order_of_names_does_not_matter(value: dict[str, int]) -> None:
    assert digest(value) == digest(dict(reversed(value.items())))


def test_digest_is_sha_256() -> None:
    # FIPS 180-4 example "abc"
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest({}) == sha256_hex(b"{}")


def test_timestamp_refuses_a_naive_time() -> None:
    with pytest.raises(NotCanonical):
        timestamp(datetime(2026, 1, 1))  # noqa: DTZ001


def test_only_what_is_an_object_in_json_can_be_asked_for_as_one() -> None:
    assert to_json_object({"at": datetime(2026, 1, 1, tzinfo=UTC)}) == {"at": "2026-01-01T00:00:00.000000Z"}
    with pytest.raises(NotCanonical, match="A value of type list is not an object in JSON"):
        to_json_object([1])
