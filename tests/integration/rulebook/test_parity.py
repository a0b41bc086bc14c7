"""All engines at once, with a real OPA and PostgreSQL among them, as `make parity` runs them."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.engines.casbin import CasbinEngine
from governance.engines.rego import RegoEngine
from governance.rulebook.schema import current_schema
from governance.rulebook.types import Compare, Not, Operator
from scripts.stack.opa import EmbeddedOpa
from tests import parity
from tests.effort import examples
from tests.factories.rulebook import permitted_facts, rule
from tests.parity_engines import PushedOpa, SqlEngine

EXAMPLES = examples(25)


@pytest.fixture(scope="module")
def opa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushedOpa]:
    home: Path = tmp_path_factory.mktemp("opa")
    with EmbeddedOpa(home, log=home / "opa.log") as server:
        yield PushedOpa(server.url)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [20261120, random.SystemRandom().randrange(2**32)], ids=["fixed", "fresh"])
def test_engines_agree(opa: PushedOpa, seed: int) -> None:
    print(f"seed {seed}")  # noqa: T201 - shown where the test fails, to try it again
    schema = current_schema()

    tried = parity.run(
        schema=schema, engines=[RegoEngine(), opa, CasbinEngine(), SqlEngine(schema)], count=EXAMPLES, start=seed
    )

    assert tried >= EXAMPLES


@pytest.mark.django_db
@pytest.mark.parametrize("op", [Operator.IN, Operator.NOT_IN])
@pytest.mark.parametrize("negated", [False, True])
@pytest.mark.parametrize("listed", [[], ["gallery"], ["other"]])
@pytest.mark.parametrize("dataset", [None, "gallery"])
def test_null_is_neither_in_nor_not_in_a_list(
    opa: PushedOpa, op: Operator, negated: bool, listed: list[str], dataset: str | None
) -> None:
    compared = Compare("asset.dataset", op, other="token.datasets")
    one = rule(condition=Not(compared) if negated else compared, actions=("asset.infer",), message="No.")
    asked = permitted_facts("asset.infer", asset__dataset=dataset, token__datasets=listed)
    example = parity.example_of(current_schema(), "asset.infer", [one], [asked])

    assert parity.disagreement(example, [RegoEngine(), opa, CasbinEngine(), SqlEngine(current_schema())]) is None
