import pytest

from governance.transparency.predicates.catalogue import Predicate, all_predicates, find_predicate
from governance.transparency.predicates.fields import Field, own_fields, shared_fields

by_name = pytest.mark.parametrize("predicate", all_predicates(), ids=lambda predicate: predicate.name)


def fields_of(name: str) -> dict[str, Field]:
    predicate = find_predicate(name)
    assert predicate is not None
    return {each.path: each for each in [*own_fields(predicate), *shared_fields(predicate)]}


@by_name
def test_every_field_says_what_it_holds_and_means(predicate: Predicate) -> None:
    found = [*own_fields(predicate), *shared_fields(predicate)]

    assert len(found) > 12
    assert [each.path for each in found if not each.holds or not each.description.endswith(".")] == []
    assert len({each.path for each in found}) == len(found)


def test_a_field_takes_type_and_meaning_from_the_common_parts() -> None:
    engine = fields_of("decision/v1")["engine"]

    assert engine.holds == "engine"
    assert engine.description.startswith("Name of the policy engine")


def test_a_field_keeps_its_own_meaning_beside_a_common_type() -> None:
    asset = fields_of("upload/v1")["asset"]

    assert (asset.holds, asset.description) == ("UUID", "Id of the work.")


def test_lists_and_what_may_be_null_are_looked_into() -> None:
    found = fields_of("job-outcome/v1")

    assert found["inputs[].sha256"].holds == "SHA-256"
    assert found["permit"].holds == "object or null"
    assert found["permit.redeemed_at"].holds == "time"
    assert found["output.obligations_applied[].kind"].holds == "code"


def test_closed_vocabularies_are_spelled_out() -> None:
    found = fields_of("decision/v1")

    assert found["effect"].holds == '"permit" or "deny"'
    assert found["subject[].name"].holds == '"facts"'
    assert found["revision"].holds == "SHA-256 or empty text"


def test_what_is_not_always_there_is_marked() -> None:
    found = fields_of("consent-change/v1")

    assert found["terms.statement"].required
    assert not found["terms.level"].required


def test_what_a_statement_says_about_itself_is_shared() -> None:
    predicate = find_predicate("upload/v1")
    assert predicate is not None

    assert not [each for each in own_fields(predicate) if each.path.startswith("receipt")]
    assert "predicate.receipt.included_by" in {each.path for each in shared_fields(predicate)}
    assert fields_of("upload/v1")["predicate.receipt.kind"].holds == '"asset.registered"'
