import json
from pathlib import Path

import pytest

from governance.transparency.predicates import catalogue
from governance.transparency.predicates.catalogue import (
    all_predicates,
    find_predicate,
    predicate_of_type,
    published_schemas,
)

FOLDER = Path(catalogue.__file__).parent


def test_every_schema_file_is_found_by_its_name() -> None:
    files = {path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.json")}

    assert {each.name for each in all_predicates()} | {"common"} == files == set(published_schemas())


def test_predicates_are_sorted_by_name() -> None:
    names = [each.name for each in all_predicates()]

    assert names == sorted(names)


def test_a_predicate_is_found_by_its_name_and_by_its_type() -> None:
    found = find_predicate("upload/v1")

    assert found is not None
    assert predicate_of_type("https://assent.dev/predicates/upload/v1") is found
    assert found.title == "Upload"


@pytest.mark.parametrize("name", ["upload", "upload/v2", "common", "../common", "upload/v1.json", ""])
def test_an_unknown_name_finds_nothing(name: str) -> None:
    assert find_predicate(name) is None
    assert predicate_of_type("https://assent.dev/predicates/" + name) is None


def test_a_published_schema_has_the_common_parts_inside() -> None:
    schema = json.loads(published_schemas()["upload/v1"])

    assert schema["$id"] == "https://assent.dev/predicates/upload/v1.json"
    assert schema["$defs"]["common"] == json.loads(published_schemas()["common"])
