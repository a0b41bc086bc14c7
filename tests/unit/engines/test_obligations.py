"""The declared obligations: what is refused, how they read, and that workers can carry out each of them."""

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.engines.errors import ObligationsUnmatched
from governance.engines.obligations import OBLIGATIONS, obligation_problems, obligations_phrase, refuse_unmatched
from governance.engines.types import Obligation
from governance.kernel.canonical import Json
from governance.workflows.types import Provenance
from inference_workers.errors import ObligationUnsupported
from inference_workers.obligations import HANDLERS

PROVENANCE = Provenance("j", "d", "p", "m", "1.0.0", "ab" * 32, "c")
GOOD = {
    "limit_resolution": {"max_edge": 512},
    "attribution": {"text": "Ada “Countess” Lovelace"},
    "embed_provenance": {},
}
values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=600), st.lists(st.integers(), max_size=2)
)
parameters = st.dictionaries(st.sampled_from(["text", "max_edge", "more"]), values, max_size=2)


@pytest.mark.parametrize("kind", list(OBLIGATIONS))
def test_good_parameters_are_good_for_schema_and_worker(kind: str) -> None:
    assert obligation_problems(Obligation(kind, GOOD[kind])) == []
    jsonschema.validate(GOOD[kind], OBLIGATIONS[kind].schema)
    assert HANDLERS.get(kind).prepare(GOOD[kind], PROVENANCE)


@given(kind=st.sampled_from(list(OBLIGATIONS)), given_=parameters)
def test_what_is_accepted_fits_the_schema_and_the_worker_understands_it(kind: str, given_: dict[str, Json]) -> None:
    accepted = not obligation_problems(Obligation(kind, given_))

    assert not accepted or jsonschema.Draft202012Validator(OBLIGATIONS[kind].schema).is_valid(given_)
    assert not accepted or HANDLERS.get(kind).prepare(given_, PROVENANCE)


@given(kind=st.sampled_from(list(OBLIGATIONS)), given_=parameters)
def test_every_phrase_is_one_printable_line(kind: str, given_: dict[str, Json]) -> None:
    assert obligations_phrase([Obligation(kind, given_)]).isprintable()


@pytest.mark.parametrize(
    ("kind", "given_", "path", "sentence"),
    [
        ("watermrk", {}, "kind", "'watermrk' is no known obligation. Known: limit_resolution, attribution,"),
        ("atribution", {"text": "x"}, "kind", "Did you mean 'attribution'?"),
        ("attribution", {}, "parameters.text", "This is needed."),
        ("attribution", {"text": " "}, "parameters.text", "One line of 1 to 500 characters"),
        ("attribution", {"text": "a\nb"}, "parameters.text", "One line of 1 to 500 characters"),
        ("attribution", {"text": "x", "txt": "y"}, "parameters", "'txt' is no parameter of attribution. Did you mean"),
        ("embed_provenance", {"text": "x"}, "parameters", "It takes none."),
        ("limit_resolution", {"max_edge": True}, "parameters.max_edge", "A whole number from 1 to 100000"),
        ("limit_resolution", {"max_edge": 0}, "parameters.max_edge", "A whole number from 1 to 100000"),
        ("limit_resolution", {"max_edge": 512.0}, "parameters.max_edge", "A whole number from 1 to 100000"),
    ],
)
def test_what_no_worker_could_carry_out_is_named(kind: str, given_: dict[str, Json], path: str, sentence: str) -> None:
    [(found, message)] = obligation_problems(Obligation(kind, given_))

    assert found == path
    assert sentence in message


def test_obligations_read_as_one_phrase() -> None:
    asked = [Obligation(kind, GOOD[kind]) for kind in OBLIGATIONS]

    assert obligations_phrase(asked) == (
        'the output has no edge longer than 512 pixels and names "Ada “Countess” Lovelace" as its author '
        "and states its provenance"
    )
    assert obligations_phrase([Obligation("gone")]) == "the output fulfils the obligation 'gone', which is not valid"


def test_handlers_that_are_not_those_declared_stop_the_start() -> None:
    with pytest.raises(ObligationsUnmatched, match="dance, embed_provenance"):
        refuse_unmatched([*(kind for kind in OBLIGATIONS if kind != "embed_provenance"), "dance"])


@pytest.mark.parametrize("given_", [{"max_edge": 0}, {"max_edge": "1"}, {}])
def test_the_worker_refuses_too(given_: dict[str, Json]) -> None:
    with pytest.raises(ObligationUnsupported):
        HANDLERS.get("limit_resolution").prepare(given_, PROVENANCE)
