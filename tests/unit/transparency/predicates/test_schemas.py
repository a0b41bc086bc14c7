"""The schemas themselves: valid, strict, explained in every field, and true to their own examples."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from governance.audit.recording.declarations import declarations
from governance.kernel.canonical import canonical_json, digest
from governance.transparency.predicates import catalogue
from governance.transparency.predicates.catalogue import Predicate, all_predicates, find_predicate
from tests.factories.receipts import evidence_statement, statement
from tests.predicates import faults_of

BASE = "https://assent.dev/predicates/"
FOLDER = Path(catalogue.__file__).parent
FILES = sorted(FOLDER.rglob("*.json"))
PREDICATES = all_predicates()
EXAMPLES = [(predicate, example) for predicate in PREDICATES for example in predicate.examples]
#: Where members may have any name and value: the parameters of an obligation depend on its kind.
OPEN = {"parameters", "outcome", "consent_epochs"}
#: What the digest in the subject is of, for predicates that hold it or what it is of.
DIGESTED = {
    "consent-change/v1": lambda predicate: digest(predicate["terms"]),
    "consent-level-version/v1": lambda predicate: digest(predicate["after"]),
    "decision/v1": lambda predicate: predicate["facts_sha256"],
    "erasure/v1": lambda predicate: digest(predicate["erased"]),
    "licence-version/v1": lambda predicate: digest(predicate["after"]),
    "policy-activation/v1": lambda predicate: predicate["digest"],
    "upload/v1": lambda predicate: predicate["sha256"],
    "worm-anchor/v1": lambda predicate: predicate["sha256"],
}

by_name = pytest.mark.parametrize("predicate", PREDICATES, ids=lambda predicate: predicate.name)
by_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
by_example = pytest.mark.parametrize(
    ("predicate", "example"), EXAMPLES, ids=lambda value: getattr(value, "name", "example")
)


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every object inside a schema, examples left out."""
    children = schema.items() if isinstance(schema, dict) else enumerate(schema if isinstance(schema, list) else ())
    yield from [schema] * isinstance(schema, dict)
    for key, child in children:
        yield from nodes({} if key == "examples" else child)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every object inside a value."""
    children = value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    yield from [path] * isinstance(value, dict)
    for key, child in children:
        yield from places(child, (*path, key))


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


@by_file
def test_a_schema_is_one_of_draft_2020_12(path: Path) -> None:
    schema = json.loads(path.read_text())

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == BASE + path.relative_to(FOLDER).as_posix()
    Draft202012Validator.check_schema(schema)


@by_file
def test_a_file_is_formatted_as_it_is_served(path: Path) -> None:
    assert path.read_text() == catalogue.as_text(json.loads(path.read_text()))


@by_file
def test_every_object_with_declared_members_takes_no_others(path: Path) -> None:
    declared = [node for node in nodes(json.loads(path.read_text())) if node.get("type") == "object"]
    closed = [node["additionalProperties"] for node in declared if "properties" in node]

    assert closed
    assert set(closed) == {False}


@by_name
def test_the_type_of_a_predicate_follows_from_its_name(predicate: Predicate) -> None:
    properties: Any = predicate.schema["properties"]

    assert predicate.type == BASE + predicate.name == properties["predicateType"]["const"]


@by_example
def test_two_validators_accept_the_examples(predicate: Predicate, example: Any) -> None:
    Draft202012Validator(predicate.schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(example)

    assert faults_of(canonical_json(example)) == []


@by_name
def test_a_published_schema_needs_no_other_document(predicate: Predicate) -> None:
    alone = json.loads(catalogue.published_schemas()[predicate.name])

    Draft202012Validator(alone).validate(predicate.examples[0])


@by_example
def test_no_object_takes_members_that_are_not_declared(predicate: Predicate, example: Any) -> None:
    closed = [path for path in places(example) if not OPEN & {str(key) for key in path}]
    unfit = [path for path in closed if faults_of(canonical_json(_with(example, path, "intruder", 1)))]

    assert len(closed) >= 5
    assert unfit == closed


def _with(example: Any, path: tuple[str | int, ...], name: str, value: Any) -> Any:
    changed = copy.deepcopy(example)
    at(changed, path)[name] = value
    return changed


@by_example
def test_no_member_may_be_of_another_type(predicate: Predicate, example: Any) -> None:
    every = [(path, name) for path in places(example) for name in at(example, path)]
    typed = [(path, name) for path, name in every if not OPEN & {*map(str, path), name}]
    accepted = [each for each in typed if not faults_of(canonical_json(_with(example, *each, [[]])))]

    assert len(typed) > 10
    assert accepted == []


@by_example
def test_the_subject_is_the_digest_of_what_its_description_says(predicate: Predicate, example: Any) -> None:
    [subject] = example["subject"]
    expected = DIGESTED.get(predicate.name, lambda _: subject["digest"]["sha256"])

    assert subject["digest"]["sha256"] == expected(example["predicate"])


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("upload/v1", ("subject", 0, "name"), "photo"),
        ("upload/v1", ("predicate", "receipt", "kind"), "asset.removed"),
        ("upload/v1", ("predicate", "receipt", "subject", "type"), "creator"),
        ("upload/v1", ("predicate", "receipt", "issued_at"), "2026-13-01T08:00:00.000000Z"),
        ("upload/v1", ("predicate", "receipt", "issued_at"), "2026-06-01T08:00:00Z"),
        ("upload/v1", ("predicate", "asset"), "01997C3E-8F6B-7D5C-9A53-2F1D0C6E4B11"),
        ("upload/v1", ("predicate", "sha256"), "AB" * 32),
        ("upload/v1", ("predicate", "sha256"), "ab" * 31),
        ("upload/v1", ("predicate", "size"), 0),
        ("upload/v1", ("predicateType",), BASE + "decision/v1"),
        ("upload/v1", ("predicateType",), BASE + "nothing/v1"),
        ("consent-change/v1", ("predicate", "change"), "withdrawn"),
        ("consent-change/v1", ("predicate", "receipt", "kind"), "consent.withdrawn"),
        ("consent-change/v1", ("predicate", "terms", "regions"), ["Germany"]),
        ("consent-change/v1", ("predicate", "terms", "regions"), ["DE", "DE"]),
        ("consent-change/v1", ("predicate", "terms", "everything"), True),
        ("job-outcome/v1", ("subject", 0, "name"), "request"),
        ("job-outcome/v1", ("predicate", "outcome"), "denied"),
        ("job-outcome/v1", ("predicate", "output"), None),
        ("job-outcome/v1", ("predicate", "permit"), None),
        ("job-outcome/v1", ("predicate", "reason_code"), "consent_withdrawn"),
        ("job-outcome/v1", ("predicate", "evidence", "outcome"), "denied"),
        ("job-outcome/v1", ("predicate", "moderation", 0, "score"), 1.5),
        ("worm-anchor/v1", ("predicate", "mode"), "none"),
        ("worm-anchor/v1", ("predicate", "uri"), "not a URI"),
    ],
)
def test_what_a_statement_may_not_say_is_refused(name: str, path: tuple[str | int, ...], value: Any) -> None:
    predicate = find_predicate(name)
    assert predicate is not None
    *parents, last = path

    assert faults_of(canonical_json(_with(predicate.examples[0], tuple(parents), str(last), value)))


def test_a_withdrawal_has_no_terms_of_a_grant() -> None:
    predicate = find_predicate("consent-change/v1")
    assert predicate is not None

    assert faults_of(canonical_json(_with(predicate.examples[1], ("predicate", "terms"), "level", "training-allowed")))


@by_name
def test_there_is_an_example_for_every_kind_of_entry_that_comes_with_the_statement(predicate: Predicate) -> None:
    declared = {kind for kind, each in declarations().items() if each.declaration.receipt == predicate.name}
    about: Any = [example["predicate"].get("receipt", {}) for example in predicate.examples]

    assert {each["kind"] for each in about if each} == declared


@pytest.mark.parametrize("made", [statement, evidence_statement])
def test_the_statements_by_which_the_verifier_is_tested_are_fit(made: Callable[[], dict[str, Any]]) -> None:
    assert faults_of(canonical_json(made())) == []


def test_statements_from_before_the_promise_stay_valid() -> None:
    predicate = find_predicate("job-outcome/v1")
    assert predicate is not None
    older: Any = copy.deepcopy(predicate.examples[0])
    del older["predicate"]["evidence"]["included_by"], older["predicate"]["region"]
    older["predicate"]["inputs"][0]["creator"] = "sunset-studio"
    older["predicate"]["decisions"][0]["consent_epochs"] = {"sunset-studio": 4}

    assert faults_of(canonical_json(older)) == []
