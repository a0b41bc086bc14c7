"""Narrowing of JSON values."""

from collections.abc import Callable

import pytest

from governance.kernel.parsing import (
    parse_bool,
    parse_int,
    parse_list,
    parse_object,
    parse_text,
    parse_texts,
)


@pytest.mark.parametrize(
    ("parse", "value"),
    [
        (parse_object, {"a": 1}),
        (parse_list, [1, "a"]),
        (parse_text, ""),
        (parse_texts, ["a", "b"]),
        (parse_int, -3),
        (parse_bool, False),
    ],
)
def test_a_value_of_the_expected_type_is_returned_as_it_is(parse: Callable[[object], object], value: object) -> None:
    assert parse(value) == value


@pytest.mark.parametrize(
    ("parse", "value", "reason"),
    [
        (parse_object, [], "an object is expected, not list"),
        (parse_list, {}, "a list is expected, not dict"),
        (parse_text, None, "a text is expected, not null"),
        (parse_texts, ["a", 1], "a text is expected, not int"),
        (parse_int, True, "a whole number is expected, not bool"),
        (parse_int, 1.0, "a whole number is expected, not float"),
        (parse_bool, 0, "true or false is expected, not int"),
    ],
)
def test_any_other_value_is_refused(parse: Callable[[object], object], value: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse(value)
