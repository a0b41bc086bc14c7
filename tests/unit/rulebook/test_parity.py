"""Every engine gives the same answer: effect, matched rules, obligations and reasons, indexed or not."""

import random

import pytest

from governance.engines.casbin import CasbinEngine
from governance.engines.rego import RegoEngine
from governance.rulebook.attributes import AttributeSchema
from governance.rulebook.schema import current_schema
from tests import parity
from tests.factories.rulebook import every_kind

FIXED_SEED = 20261120
EXAMPLES = 60


@pytest.mark.parametrize("schema", [current_schema(), every_kind()], ids=["product", "every-kind"])
@pytest.mark.parametrize("seed", [FIXED_SEED, random.SystemRandom().randrange(2**32)], ids=["fixed", "fresh"])
def test_engines_agree(schema: AttributeSchema, seed: int) -> None:
    print(f"seed {seed}")  # noqa: T201 - shown where the test fails, to try it again

    tried = parity.run(schema=schema, engines=[RegoEngine(), CasbinEngine()], count=EXAMPLES, start=seed)

    assert tried >= EXAMPLES
