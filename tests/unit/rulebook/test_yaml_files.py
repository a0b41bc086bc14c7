"""Strict reading of policy files."""

from pathlib import Path

import pytest

from governance.rulebook.errors import PolicyFileInvalid
from governance.rulebook.yaml_files import read_yaml


def read(folder: Path, text: str) -> object:
    path = folder / "policy.yaml"
    path.write_text(text)
    return read_yaml(path)


def test_plain_yaml_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, "a: [1, 2.5, yes]\nb: {c: text}\n") == {"a": [1, 2.5, True], "b": {"c": "text"}}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\nb: 2\na: 3\n", "a key is written twice"),
        ("a:\n  - {b: 1, b: 2}\n", "a key is written twice"),
        ('{"a": 1, "a": 2}', "a key is written twice"),
        ("NO: 1\n", "the key False is not a text; put it in quotes"),
        ("1: a\n'1': b\n", "the key 1 is not a text; put it in quotes"),
        ("a: .nan\n", "the number is not finite"),
        ("a: -.inf\n", "the number is not finite"),
        ("a: " + "[" * 5000, "policy.yaml cannot be read"),
        ("a: !!python/name:os.system\n", "could not determine a constructor"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused_with_the_file(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(PolicyFileInvalid, match=reason) as caught:
        read(tmp_path, text)

    assert "policy.yaml" in caught.value.message
